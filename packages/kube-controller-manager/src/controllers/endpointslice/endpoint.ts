import { isIPv6 } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Node, Pod, Service } from '@orrery/api/core/v1';
import type { Endpoint, EndpointHints, EndpointPort } from '@orrery/api/discovery/v1';
import { isPodReady, isPodTerminating } from '@orrery/client';
import { addressesOf, hostnameIn } from '../service-endpoints/membership.ts';

export type AddressType = 'IPv4' | 'IPv6';

const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** The families of a service; of one that says none, that of its address, and of a headless one both. Source: getAddressTypesForService. */
export function addressTypesOf({ spec }: Service): readonly AddressType[] {
  const families = (spec?.ipFamilies ?? []).filter((family): family is AddressType => family === 'IPv4' || family === 'IPv6');
  if (families.length > 0) return families;
  const { clusterIP = '' } = spec ?? {};
  if (clusterIP === '' || clusterIP === 'None') return ['IPv4', 'IPv6'];
  return [isIPv6(clusterIP) ? 'IPv6' : 'IPv4'];
}

/** The pod as an endpoint; undefined when it has no address of this type. Source: podToEndpoint. */
export function endpointOf(service: Service, pod: Pod, node: Node | undefined, type: AddressType): Endpoint | undefined {
  const addresses = addressesOf(pod).filter((address) => isIPv6(address) === (type === 'IPv6'));
  if (addresses.length === 0) return undefined;
  const serving = isPodReady(pod);
  const terminating = isPodTerminating(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameIn(service, pod);
  const nodeName = pod.spec?.nodeName;
  const zone = node?.metadata.labels?.[ZONE_LABEL];
  const hints = ready ? hintsOf(service, nodeName, zone) : undefined;
  const { name, namespace = '', uid } = pod.metadata;
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone ? { zone } : {}),
    ...(hints === undefined ? {} : { hints }),
  };
}

/** Where the service's `trafficDistribution` would have clients come from (KEP-4444, KEP-3015). */
function hintsOf({ spec }: Service, nodeName: string | undefined, zone: string | undefined): EndpointHints | undefined {
  const forZones = zone ? [{ name: zone }] : [];
  switch (spec?.trafficDistribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return forZones.length === 0 ? undefined : { forZones };
    case 'PreferSameNode':
      if (nodeName === undefined) return undefined;
      return { forNodes: [{ name: nodeName }], ...(forZones.length === 0 ? {} : { forZones }) };
    default:
      return undefined;
  }
}

/** Equal for endpoints that are the same one, in whatever state. Source: hashEndpoint. */
export const endpointKey = ({ addresses, hostname = '', targetRef }: Endpoint): string =>
  JSON.stringify([[...addresses].sort(), hostname, targetRef?.namespace ?? '', targetRef?.name ?? '']);

/** Whether two states of the same endpoint are equal. */
export const sameEndpoint = (a: Endpoint, b: Endpoint): boolean => isDeepStrictEqual(comparable(a), comparable(b));

const comparable = ({ conditions = {}, nodeName, zone, hints, targetRef }: Endpoint): readonly unknown[] => {
  const { resourceVersion: _resourceVersion, ...target } = targetRef ?? {};
  return [conditions, nodeName, zone, hints, target];
};

/** Equal for equal sets of ports. */
export const portsKey = (ports: readonly EndpointPort[] | undefined): string =>
  JSON.stringify(
    (ports ?? []).map(({ name = '', protocol = 'TCP', port, appProtocol }) => [name, protocol, port ?? null, appProtocol ?? null]).sort(),
  );
