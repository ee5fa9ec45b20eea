import { isIPv6 } from 'node:net';
import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from '@orrery/api/core/v1';
import { isPodReady } from '@orrery/client';
import { addressesOf, hostnameIn, isEndpoint } from '../service-endpoints/membership.ts';
import { portsOf, type ServedPort } from '../service-endpoints/ports.ts';

/** More addresses than this are cut off: EndpointSlices have them all. Source: maxCapacity. */
export const ADDRESSES_MAX = 1000;

interface Reachable {
  readonly address: EndpointAddress;
  readonly isReady: boolean;
}

/**
 * The subsets that an Endpoints object of `service` shows: addresses that have the same ports stand together. Sorted, so that equal states
 * give equal values. Source: endpoints controller and RepackSubsets.
 */
export function subsetsOf(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
  const { publishNotReadyAddresses = false, ports = [], clusterIP } = service.spec ?? {};
  if (ports.length === 0 && clusterIP !== 'None') return [];
  /** What is reachable through each port; the empty key has pods of headless services without ports. */
  const byPort = new Map<string, { readonly port: ServedPort | undefined; readonly reachable: Map<string, Reachable> }>();
  const enter = (key: string, port: ServedPort | undefined, reachable: Reachable): void => {
    const entry = byPort.get(key) ?? { port, reachable: new Map() };
    entry.reachable.set(addressKey(reachable.address), reachable);
    byPort.set(key, entry);
  };
  for (const pod of pods) {
    const address = isEndpoint(pod, publishNotReadyAddresses) ? addressOf(service, pod) : undefined;
    if (address === undefined) continue;
    const reachable = { address, isReady: publishNotReadyAddresses || isPodReady(pod) };
    if (ports.length === 0) enter('', undefined, reachable);
    for (const port of portsOf(service, pod)) enter(JSON.stringify(port), port, reachable);
  }
  return mergedByAddresses([...byPort.values()]);
}

/** One subset for all ports that have exactly the same addresses. */
function mergedByAddresses(
  entries: readonly { readonly port: ServedPort | undefined; readonly reachable: ReadonlyMap<string, Reachable> }[],
): readonly EndpointSubset[] {
  const groups = new Map<string, { readonly ports: EndpointPort[]; readonly reachable: readonly Reachable[] }>();
  for (const { port, reachable } of entries) {
    const sorted = [...reachable].sort(([a], [b]) => (a < b ? -1 : 1));
    const key = sorted.map(([address, { isReady }]) => `${address} ${isReady}`).join();
    const group = groups.get(key) ?? { ports: [], reachable: sorted.map(([, value]) => value) };
    if (port !== undefined) group.ports.push(portOf(port));
    groups.set(key, group);
  }
  return [...groups.values()]
    .map(({ ports, reachable }) => {
      const ready = reachable.filter(({ isReady }) => isReady).map(({ address }) => address);
      const others = reachable.filter(({ isReady }) => !isReady).map(({ address }) => address);
      return subset(ready, others, ports.sort(comparePorts));
    })
    .sort(compareSubsets);
}

/** The service's address family decides which of the pod's addresses counts; undefined: it has none of that family. */
function addressOf(service: Service, pod: Pod): EndpointAddress | undefined {
  const { ipFamilies = [], clusterIP = '' } = service.spec ?? {};
  const addresses = addressesOf(pod);
  const wantsV6 = ipFamilies[0] === undefined ? isIPv6(clusterIP === 'None' ? (addresses[0] ?? '') : clusterIP) : ipFamilies[0] === 'IPv6';
  const ip = addresses.find((address) => isIPv6(address) === wantsV6);
  if (ip === undefined) return undefined;
  const { name, namespace = '', uid } = pod.metadata;
  const hostname = hostnameIn(service, pod);
  const nodeName = pod.spec?.nodeName;
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: { kind: 'Pod', name, namespace, uid },
  };
}

/** Cut down to {@link ADDRESSES_MAX}, in proportion to the subsets' sizes, ready ones first; undefined: all fit. Source: truncateEndpoints. */
export function truncated(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] | undefined {
  const ready = sum(subsets.map(({ addresses = [] }) => addresses.length));
  const others = sum(subsets.map(({ notReadyAddresses = [] }) => notReadyAddresses.length));
  if (ready + others <= ADDRESSES_MAX) return undefined;
  const cutsReady = ready > ADDRESSES_MAX;
  const room = cutsReady ? ADDRESSES_MAX : ADDRESSES_MAX - ready;
  let left = room;
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const from = cutsReady ? addresses : notReadyAddresses;
    const kept = from.slice(0, Math.min(left, Math.ceil((from.length / (cutsReady ? ready : others)) * room)));
    left -= kept.length;
    const next = cutsReady ? subset(kept, [], ports) : subset(addresses, kept, ports);
    return next.addresses === undefined && next.notReadyAddresses === undefined ? [] : [next];
  });
}

/** Empty lists are left out, as they are stored. */
const subset = (
  addresses: readonly EndpointAddress[],
  notReadyAddresses: readonly EndpointAddress[],
  ports: readonly EndpointPort[],
): EndpointSubset => ({
  ...(addresses.length === 0 ? {} : { addresses }),
  ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
  ...(ports.length === 0 ? {} : { ports }),
});

/** An empty name is left out, as it is stored. */
const portOf = ({ name, ...rest }: ServedPort): EndpointPort => (name === '' ? rest : { name, ...rest });
const addressKey = ({ ip, targetRef }: EndpointAddress): string => `${ip} ${targetRef?.uid ?? ''}`;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const comparePorts = (a: EndpointPort, b: EndpointPort): number => compareTexts(portText(a), portText(b));
const compareSubsets = (a: EndpointSubset, b: EndpointSubset): number =>
  compareTexts((a.ports ?? []).map(portText).join(), (b.ports ?? []).map(portText).join());
const portText = ({ name = '', port, protocol = '' }: EndpointPort): string => `${name} ${protocol} ${port}`;
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
