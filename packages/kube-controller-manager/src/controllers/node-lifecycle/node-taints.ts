import { nodes as nodeResource } from '@orrery/api';
import type { Node, Taint } from '@orrery/api/core/v1';
import { formatTime } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import { type Client, retryOnConflict } from '@orrery/client';
import type { ReadyStatus } from './node-health.ts';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/** Key of the taint by condition and its status. */
const conditionTaints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};
const managedKeys = new Set([...Object.values(conditionTaints).flatMap((byStatus) => Object.values(byStatus)), UNSCHEDULABLE]);

type TaintId = Pick<Taint, 'key' | 'effect'>;
const same = (a: TaintId, b: TaintId): boolean => a.key === b.key && a.effect === b.effect;

export interface TaintChange {
  readonly add: readonly TaintId[];
  readonly remove: readonly TaintId[];
}

/** The `NoSchedule` taints that a node's conditions ask for, against those that it has. Source: TaintNodesByCondition. */
export function conditionTaintChange({ spec, status }: Node): TaintChange {
  const wanted = (status?.conditions ?? [])
    .map((condition) => conditionTaints[condition.type]?.[condition.status])
    .filter((key) => key !== undefined)
    .map((key) => ({ key, effect: 'NoSchedule' }));
  if (spec?.unschedulable === true) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  const present = (spec?.taints ?? []).filter(({ key, effect }) => effect === 'NoSchedule' && managedKeys.has(key));
  return {
    add: wanted.filter((taint) => !present.some((other) => same(other, taint))),
    remove: present.filter((taint) => !wanted.some((other) => same(other, taint))),
  };
}

export const hasNoExecute = ({ spec }: Node, key: string): boolean =>
  (spec?.taints ?? []).some((taint) => same(taint, { key, effect: 'NoExecute' }));

/** The `NoExecute` taint of a node that is not ready, in place of its opposite; none for one that is. */
export function readinessTaintChange(status: ReadyStatus): TaintChange {
  const of = (key: string): TaintId => ({ key, effect: 'NoExecute' });
  if (status === 'True') return { add: [], remove: [of(NOT_READY), of(UNREACHABLE)] };
  return status === 'False' ? { add: [of(NOT_READY)], remove: [of(UNREACHABLE)] } : { add: [of(UNREACHABLE)], remove: [of(NOT_READY)] };
}

/** The taints after the change; undefined when they are so already. */
export function changedTaints(taints: readonly Taint[], { add, remove }: TaintChange, now: string): readonly Taint[] | undefined {
  const kept = taints.filter((taint) => !remove.some((other) => same(other, taint)));
  const added = add.filter((taint) => !kept.some((other) => same(other, taint)));
  if (kept.length === taints.length && added.length === 0) return undefined;
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: now }))];
}

/**
 * Writes the change, from the cached node and, when that is outdated, from the server's. Does nothing when there is nothing to change.
 * Rejects with 404 when the node is gone.
 */
export async function writeTaints(
  { client, clock }: { readonly client: Pick<Client, 'get' | 'patch'>; readonly clock: Clock },
  cached: Node,
  change: TaintChange,
  signal: AbortSignal,
): Promise<void> {
  let known: Node | undefined = cached;
  await retryOnConflict(
    async () => {
      const node = known ?? (await client.get(nodeResource, cached.metadata, { signal }));
      known = undefined;
      const taints = changedTaints(node.spec?.taints ?? [], change, formatTime(clock.now()));
      if (taints === undefined || node.metadata.uid !== cached.metadata.uid) return;
      // The version makes the server refuse when somebody else changed the list, which is replaced as a whole.
      const patch = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints } };
      await client.patch(nodeResource, node.metadata, 'merge', patch, { signal });
    },
    { clock, signal },
  );
}
