import type { Pod } from '@orrery/api/core/v1';
import { isPodReady, podReadyCondition } from '@orrery/client';

/** Lower is deleted first. @default 0. Source: the pod-deletion-cost annotation (KEP-2255). */
export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

type Comparison = (a: Pod, b: Pod) => number;

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const rankOfPhase = (pod: Pod): number => phaseRank[pod.status.phase ?? ''] ?? 0;
const assigned = ({ spec }: Pod): number => (spec.nodeName === undefined || spec.nodeName === '' ? 0 : 1);
const ready = (pod: Pod): number => (isPodReady(pod) ? 1 : 0);

const costOf = ({ metadata }: Pod): number => {
  const text = metadata.annotations?.[DELETION_COST];
  return text !== undefined && /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
};

const restarts = ({ status }: Pod): number =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].reduce(
    (most, { restartCount }) => Math.max(most, restartCount),
    0,
  );

const readySince = (pod: Pod): number => Date.parse(podReadyCondition(pod)?.lastTransitionTime ?? '') || 0;
const createdAt = ({ metadata }: Pod): number => Date.parse(metadata.creationTimestamp) || 0;

/** Ages are compared by their order of magnitude (KEP-2185), so that among pods of about one age chance decides and no node is emptied first. */
const ageRank = (sinceMs: number, nowMs: number): number =>
  sinceMs === 0 ? 0 : Math.floor(Math.log2(Math.max(1, (nowMs - sinceMs) * 1_000_000)));

/**
 * `pods`, those first that lose least: not placed, not running, not ready, cheap, crowded, young, restarted often.
 * Source: ActivePodsWithRanks.
 * @param crowding - How many related pods share the pod's node.
 */
export function inDeletionOrder(pods: readonly Pod[], crowding: (pod: Pod) => number, nowMs: number): readonly Pod[] {
  const ascending =
    (of: (pod: Pod) => number): Comparison =>
    (a, b) =>
      of(a) - of(b);
  const younger =
    (of: (pod: Pod) => number): Comparison =>
    (a, b) =>
      ageRank(of(a), nowMs) - ageRank(of(b), nowMs);
  const bothReady =
    (compare: Comparison): Comparison =>
    (a, b) =>
      isPodReady(a) && isPodReady(b) ? compare(a, b) : 0;
  const comparisons: readonly Comparison[] = [
    ascending(assigned),
    ascending(rankOfPhase),
    ascending(ready),
    ascending(costOf),
    (a, b) => crowding(b) - crowding(a),
    bothReady(younger(readySince)),
    (a, b) => restarts(b) - restarts(a),
    younger(createdAt),
    (a, b) => (a.metadata.uid < b.metadata.uid ? -1 : 1),
  ];
  return [...pods].sort((a, b) => {
    for (const compare of comparisons) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  });
}

/** Pods of `related` by node: what {@link inDeletionOrder} wants. */
export function crowdingOf(related: readonly Pod[]): (pod: Pod) => number {
  const byNode = new Map<string, number>();
  for (const { spec } of related) if (spec.nodeName !== undefined) byNode.set(spec.nodeName, (byNode.get(spec.nodeName) ?? 0) + 1);
  return ({ spec }) => (spec.nodeName === undefined ? 0 : (byNode.get(spec.nodeName) ?? 0));
}
