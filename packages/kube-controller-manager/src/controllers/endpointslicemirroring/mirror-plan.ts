import { isIP } from 'node:net';
import { endpoints as endpointsResource } from '@orrery/api';
import type { EndpointAddress, EndpointSubset, Endpoints, Service } from '@orrery/api/core/v1';
import type { Endpoint, EndpointPort, EndpointSlice } from '@orrery/api/discovery/v1';
import type { NewObject } from '@orrery/apimachinery';
import { newControllerRef } from '@orrery/client';
import { endpointKey, portsKey } from '../endpointslice/endpoint.ts';
import { pack } from '../endpointslice/packing.ts';
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from '../endpointslice/slice-labels.ts';
import type { SlicePlan } from '../endpointslice/slice-plan.ts';
import { sameLabels } from '../service-endpoints/membership.ts';
import { TRIGGER_TIME_ANNOTATION } from '../service-endpoints/trigger-times.ts';

/** Value of the managed-by label on mirrored slices. */
export const MIRROR_MANAGER = 'endpointslicemirroring-controller.k8s.io';
const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';
const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/** Addresses of one subset that are mirrored; the rest is cut off. Source: `--mirroring-max-endpoints-per-subset`. */
export const SUBSET_ADDRESSES_MAX = 1000;

type Texts = { readonly [key: string]: string };

/** Whether slices are made from it: somebody wrote it by hand, for a service that has no selector. */
export function isMirrored({ metadata }: Endpoints, service: Service | undefined): boolean {
  if (service === undefined || service.spec?.selector !== undefined) return false;
  return metadata.labels?.[SKIP_LABEL] !== 'true' && metadata.annotations?.[LEADER_ANNOTATION] === undefined;
}

interface Group {
  readonly addressType: string;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: Map<string, Endpoint>;
}

/**
 * The slices that show the same as `source`: one set for each set of ports and address family. Source: endpointslicemirroring.reconciler.
 * @param slices - Those that the controller has written for it.
 */
export function planMirror(source: Endpoints, slices: readonly EndpointSlice[]): Omit<SlicePlan, 'withoutNode'> {
  const labels = mirrorLabels(source);
  const annotations = mirrorAnnotations(source);
  const creates: NewObject<EndpointSlice>[] = [];
  const updates: EndpointSlice[] = [];
  const deletes = new Set(slices);
  for (const [key, { addressType, ports, endpoints }] of groupsOf(source.subsets ?? [])) {
    const own = slices.filter((slice) => groupKey(slice.addressType, slice.ports) === key);
    const packing = pack(own, endpoints, labels, SUBSET_ADDRESSES_MAX);
    const emptied = new Set(packing.deletes);
    const written = new Set(packing.updates.map(({ metadata }) => metadata.uid));
    const restyled = own.filter(
      (slice) => !emptied.has(slice) && !written.has(slice.metadata.uid) && !sameLabels(mirrorAnnotations(slice), annotations),
    );
    for (const slice of own) if (!emptied.has(slice)) deletes.delete(slice);
    updates.push(...[...packing.updates, ...restyled].map((slice) => ({ ...slice, metadata: { ...slice.metadata, annotations } })));
    creates.push(
      ...packing.creates.map((content) => ({
        metadata: {
          generateName: `${source.metadata.name}-`,
          ...(source.metadata.namespace === undefined ? {} : { namespace: source.metadata.namespace }),
          labels,
          annotations,
          ownerReferences: [newControllerRef(source, endpointsResource)],
        },
        addressType,
        ports,
        endpoints: content,
      })),
    );
  }
  return { creates, updates, deletes: [...deletes] };
}

const groupKey = (addressType: string, ports: readonly EndpointPort[] | undefined): string => `${addressType} ${portsKey(ports)}`;

function groupsOf(subsets: readonly EndpointSubset[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const slicePorts = ports.map(({ name = '', ...rest }) => ({ name, ...rest }));
    const all = [...addresses.map((one) => endpointOf(one, true)), ...notReadyAddresses.map((one) => endpointOf(one, false))];
    for (const endpoint of all.slice(0, SUBSET_ADDRESSES_MAX)) {
      const version = isIP(endpoint.addresses[0] ?? '');
      if (version === 0) continue; // The API takes no such address.
      const addressType = `IPv${version}`;
      const key = groupKey(addressType, slicePorts);
      const group: Group = groups.get(key) ?? { addressType, ports: slicePorts, endpoints: new Map() };
      groups.set(key, group);
      if (!group.endpoints.has(endpointKey(endpoint))) group.endpoints.set(endpointKey(endpoint), endpoint);
    }
  }
  return groups;
}

const endpointOf = ({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint => ({
  addresses: [ip],
  conditions: { ready },
  ...(hostname === undefined ? {} : { hostname }),
  ...(targetRef === undefined ? {} : { targetRef }),
  ...(nodeName === undefined ? {} : { nodeName }),
});

const mirrorLabels = ({ metadata }: Endpoints): Texts => ({
  ...metadata.labels,
  [SERVICE_NAME_LABEL]: metadata.name,
  [MANAGED_BY_LABEL]: MIRROR_MANAGER,
});

function mirrorAnnotations({ metadata }: Endpoints | EndpointSlice): Texts {
  const { [TRIGGER_TIME_ANNOTATION]: _time, [LAST_APPLIED_ANNOTATION]: _applied, ...others } = metadata.annotations ?? {};
  return others;
}

/** Index name for {@link byMirrored}. */
export const mirroredIndex = 'endpointslice-mirroring-controller/endpoints';

/** Index function: mirrored slices, by `namespace/name` of their Endpoints. */
export function byMirrored({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  return name !== undefined && metadata.labels?.[MANAGED_BY_LABEL] === MIRROR_MANAGER ? `${metadata.namespace ?? ''}/${name}` : undefined;
}
