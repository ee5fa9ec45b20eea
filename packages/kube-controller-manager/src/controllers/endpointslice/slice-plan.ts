import { services } from '@orrery/api';
import type { Node, Pod, Service } from '@orrery/api/core/v1';
import type { Endpoint, EndpointPort, EndpointSlice } from '@orrery/api/discovery/v1';
import type { NewObject } from '@orrery/apimachinery';
import { newControllerRef } from '@orrery/client';
import { isEndpoint, sameLabels } from '../service-endpoints/membership.ts';
import { portsOf } from '../service-endpoints/ports.ts';
import { type AddressType, addressTypesOf, endpointKey, endpointOf, portsKey } from './endpoint.ts';
import { pack } from './packing.ts';
import { sliceLabels } from './slice-labels.ts';

export interface SliceInput {
  readonly service: Service;
  /** Those that the service selects. */
  readonly pods: readonly Pod[];
  /** Those of the service that the controller has written. */
  readonly slices: readonly EndpointSlice[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** Endpoints in a slice. */
  readonly endpointsMax: number;
}

/** What to write. Pure data: nothing in it depends on the order of the writes. */
export interface SlicePlan {
  readonly creates: readonly NewObject<EndpointSlice>[];
  readonly updates: readonly EndpointSlice[];
  readonly deletes: readonly EndpointSlice[];
  /** Pods that were left out because their node does not exist (yet). */
  readonly withoutNode: readonly Pod[];
}

interface PortGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: Map<string, Endpoint>;
}

/** Which slices the service should have, compared with those that it has. Source: endpointslice.Reconciler.Reconcile. */
export function planSlices(input: SliceInput): SlicePlan {
  const types = addressTypesOf(input.service);
  const plans = types.map((type) => planType(input, type));
  const strays = input.slices.filter(({ addressType }) => !types.includes(addressType as AddressType));
  return {
    creates: plans.flatMap(({ creates }) => creates),
    updates: plans.flatMap(({ updates }) => updates),
    deletes: [...plans.flatMap(({ deletes }) => deletes), ...strays],
    withoutNode: plans[0]?.withoutNode ?? [],
  };
}

function planType(input: SliceInput, type: AddressType): SlicePlan {
  const { service, slices, endpointsMax } = input;
  const existing = slices.filter(({ addressType }) => addressType === type);
  const owned = existing.filter((slice) => isOwned(slice, service));
  const { groups, withoutNode } = groupByPorts(input, type);
  const labels = sliceLabels(service);
  const creates: NewObject<EndpointSlice>[] = [];
  const updates: EndpointSlice[] = [];
  const deletes = existing.filter((slice) => !owned.includes(slice));
  for (const [key, { ports, endpoints }] of groups) {
    const own = owned.filter((slice) => portsKey(slice.ports) === key);
    const packing = pack(own, endpoints, labels, endpointsMax);
    creates.push(...packing.creates.map((content) => newSlice(service, type, ports, content)));
    updates.push(...packing.updates);
    deletes.push(...packing.deletes);
  }
  deletes.push(...owned.filter((slice) => !groups.has(portsKey(slice.ports))));
  if (deletes.length === existing.length && creates.length === 0) {
    // A service always has a slice, if only an empty one.
    const [only] = deletes;
    if (deletes.length === 1 && only !== undefined && isPlaceholder(only, service)) deletes.pop();
    else creates.push(newSlice(service, type, [], []));
  }
  return { ...reuse(creates, updates, deletes, service), withoutNode };
}

/** Instead of deleting one slice and creating another, rewrites the one. */
function reuse(
  creates: readonly NewObject<EndpointSlice>[],
  updates: readonly EndpointSlice[],
  deletes: readonly EndpointSlice[],
  service: Service,
): Omit<SlicePlan, 'withoutNode'> {
  const fresh = [...creates];
  const rewritten: EndpointSlice[] = [];
  const gone: EndpointSlice[] = [];
  for (const slice of deletes) {
    const next = isOwned(slice, service) ? fresh.pop() : undefined;
    if (next === undefined) gone.push(slice);
    else
      rewritten.push({
        ...slice,
        metadata: { ...slice.metadata, labels: sliceLabels(service) },
        ports: next.ports ?? [],
        endpoints: next.endpoints ?? [],
      });
  }
  return { creates: fresh, updates: [...updates, ...rewritten], deletes: gone };
}

/** Named ports may have other numbers in other pods: such pods need slices of their own. */
function groupByPorts({ service, pods, nodeOf }: SliceInput, type: AddressType) {
  const groups = new Map<string, PortGroup>();
  const withoutNode: Pod[] = [];
  for (const pod of pods) {
    if (!isEndpoint(pod, true)) continue;
    const ports = portsOf(service, pod);
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: new Map() };
    groups.set(key, group);
    const node = nodeOf(pod.spec?.nodeName ?? '');
    if (node === undefined && service.spec?.publishNotReadyAddresses !== true) {
      withoutNode.push(pod);
      continue;
    }
    const endpoint = endpointOf(service, pod, node, type);
    if (endpoint !== undefined) group.endpoints.set(endpointKey(endpoint), endpoint);
  }
  return { groups, withoutNode };
}

/** Slices of an earlier service of the same name are the garbage collector's. */
const isOwned = ({ metadata }: EndpointSlice, service: Service): boolean =>
  (metadata.ownerReferences ?? []).some(({ uid, kind }) => uid === service.metadata.uid && kind === 'Service');

const isPlaceholder = (slice: EndpointSlice, service: Service): boolean =>
  isOwned(slice, service) &&
  (slice.endpoints ?? []).length === 0 &&
  (slice.ports ?? []).length === 0 &&
  sameLabels(slice.metadata.labels, sliceLabels(service));

function newSlice(
  service: Service,
  addressType: AddressType,
  ports: readonly EndpointPort[],
  endpoints: readonly Endpoint[],
): NewObject<EndpointSlice> {
  const { name, namespace } = service.metadata;
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: sliceLabels(service),
      ownerReferences: [newControllerRef(service, services)],
    },
    addressType,
    ports,
    endpoints,
  };
}
