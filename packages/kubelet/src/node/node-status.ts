import { isDeepStrictEqual } from 'node:util';
import type { ContainerImage, Node, NodeAddress, NodeCondition, NodeStatus } from '@orrery/api/core/v1';
import { compareQuantity, quantityFromValue, quantityValue } from '@orrery/apimachinery';
import { amountOf, type ThresholdMap } from '../eviction/thresholds.ts';
import { addResources, type ResourceList } from '../pod/resources.ts';
import type { Machine } from './machine.ts';

export interface NodeStatusInput {
  readonly machine: Machine;
  readonly podsMax: number;
  /** Replaces what the machine has, resource by resource. */
  readonly capacity: ResourceList;
  /** Kept from pods, so that the machine lives. */
  readonly reserved: ResourceList;
  readonly addresses: readonly NodeAddress[];
  /** 0: the kubelet serves nothing. */
  readonly port: number;
  readonly runtimeVersion: string;
  readonly kubeletVersion: string;
  readonly images: readonly ContainerImage[];
  readonly conditions: readonly NodeCondition[];
  /** What of memory and disk pods are evicted for: not theirs to ask for. */
  readonly evictionHard: ThresholdMap;
  readonly runtimeHandlers: NodeStatus['runtimeHandlers'];
  readonly features: NodeStatus['features'];
}

/** Named by a domain that is not Kubernetes' own: counted by others, kept by the kubelet. */
export const isExtendedResource = (name: string): boolean =>
  name.includes('/') && !name.startsWith('kubernetes.io/') && !/^[^/]*\.kubernetes\.io\//.test(name);

/** What the node has, without what others count on it. */
export function ownCapacity({ machine, podsMax, capacity }: Pick<NodeStatusInput, 'machine' | 'podsMax' | 'capacity'>): ResourceList {
  return {
    cpu: String(machine.cpus),
    memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
    'ephemeral-storage': `${Math.floor(machine.diskBytes / 1024)}Ki`,
    ...machine.hugepages,
    pods: String(podsMax),
    ...capacity,
  };
}

/** What is left of `capacity`. */
export function allocatableOf(capacity: ResourceList, reserved: ResourceList): ResourceList {
  const left: Record<string, string> = { ...capacity };
  for (const [name, amount] of Object.entries(reserved)) {
    const whole = capacity[name];
    if (whole === undefined) continue;
    const rest = Math.max(0, quantityValue(whole) - quantityValue(amount));
    left[name] = compareQuantity(amount, '0') === 0 ? whole : quantityFromValue(rest, 'BinarySI').text;
  }
  return left;
}

/** What hard eviction keeps free of what pods may ask for. Source: cm.hardEvictionReservation. */
export function evictionReserve(capacity: ResourceList, evictionHard: ThresholdMap): ResourceList {
  const pairs = [
    ['memory', evictionHard['memory.available']],
    ['ephemeral-storage', evictionHard['nodefs.available']],
  ] as const;
  return Object.fromEntries(
    pairs.flatMap(([resource, threshold]) => {
      const whole = capacity[resource];
      if (threshold === undefined || whole === undefined) return [];
      return [[resource, quantityFromValue(amountOf(threshold, quantityValue(whole)), 'BinarySI').text]];
    }),
  );
}

/** The node's whole status. What others patched in as extended resources stays, and is allocatable. Source: kubelet nodestatus. */
export function nodeStatus(input: NodeStatusInput, current: Node | undefined): NodeStatus {
  const before = current?.status?.capacity ?? {};
  const extended = Object.fromEntries(Object.entries(before).filter(([name]) => isExtendedResource(name)));
  const capacity = { ...extended, ...ownCapacity(input) };
  const foreign = (current?.status?.conditions ?? []).filter(({ type }) => !input.conditions.some((own) => own.type === type));
  return {
    ...current?.status,
    capacity,
    allocatable: allocatableOf(capacity, addResources(input.reserved, evictionReserve(capacity, input.evictionHard))),
    conditions: [...foreign, ...input.conditions],
    addresses: input.addresses,
    ...(input.port === 0 ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: input.port } } }),
    nodeInfo: {
      ...input.machine.system,
      containerRuntimeVersion: input.runtimeVersion,
      kubeletVersion: input.kubeletVersion,
      kubeProxyVersion: '',
    },
    images: input.images,
    ...(input.runtimeHandlers === undefined ? {} : { runtimeHandlers: input.runtimeHandlers }),
    ...(input.features === undefined ? {} : { features: input.features }),
  };
}

const withoutHeartbeat = (conditions: readonly NodeCondition[] | undefined): readonly object[] =>
  (conditions ?? []).map(({ lastHeartbeatTime: _, ...rest }) => rest).sort((a, b) => (a.type < b.type ? -1 : 1));

/** Whether two statuses differ in more than the time of the heartbeat. */
export function nodeStatusChanged(before: NodeStatus | undefined, after: NodeStatus): boolean {
  if (before === undefined) return true;
  const { conditions: oldConditions, ...old } = before;
  const { conditions: newConditions, ...now } = after;
  return !isDeepStrictEqual(old, now) || !isDeepStrictEqual(withoutHeartbeat(oldConditions), withoutHeartbeat(newConditions));
}

/** Strategic merge patch from one status to another: whole fields, and of the merged lists what is gone. */
export function nodeStatusPatch(before: NodeStatus | undefined, after: NodeStatus): object {
  const patch: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(after)) {
    if (!isDeepStrictEqual(before?.[field as keyof NodeStatus], value)) patch[field] = value;
  }
  // Merged by type, though several addresses may share one: replace the whole list.
  if (patch['addresses'] !== undefined) patch['addresses'] = [...(after.addresses ?? []), { $patch: 'replace' }];
  return patch;
}
