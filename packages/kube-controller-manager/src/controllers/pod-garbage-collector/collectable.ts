import type { Node, Pod } from '@orrery/api/core/v1';
import { isConditionTrue, isPodTerminal, isPodTerminating } from '@orrery/client';

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
/** How long a node must be missing before its pods are held lost: a new node's pods may be seen before the node. */
export const QUARANTINE_MS = 40_000;

const isEvicted = ({ status }: Pod): boolean => status.phase === 'Failed' && status.reason === 'Evicted';
const createdAtMs = ({ metadata }: Pod): number => Date.parse(metadata.creationTimestamp) || 0;

/** Those first that matter least: evicted ones, then the oldest. */
function inCollectionOrder(pods: readonly Pod[]): readonly Pod[] {
  return [...pods].sort(
    (a, b) =>
      Number(isEvicted(b)) - Number(isEvicted(a)) ||
      createdAtMs(a) - createdAtMs(b) ||
      (a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0),
  );
}

/** Ended pods beyond the number that may stay. @param max - 0 or less: all may. */
export function surplusTerminated(pods: readonly Pod[], max: number): readonly Pod[] {
  if (max <= 0) return [];
  const ended = pods.filter(isPodTerminal);
  return ended.length <= max ? [] : inCollectionOrder(ended).slice(0, ended.length - max);
}

/** Pods that were deleted before they had a node: no kubelet will ever finish the deletion. */
export const unscheduledTerminating = (pods: readonly Pod[]): readonly Pod[] =>
  pods.filter((pod) => isPodTerminating(pod) && (pod.spec.nodeName ?? '') === '');

/** Deleted pods on nodes that somebody has declared dead. Source: KEP-2268. */
export function outOfService(pods: readonly Pod[], nodeOf: (name: string) => Node | undefined): readonly Pod[] {
  return inCollectionOrder(
    pods.filter((pod) => {
      const node = isPodTerminating(pod) && pod.spec.nodeName ? nodeOf(pod.spec.nodeName) : undefined;
      if (node === undefined || isConditionTrue(node.status?.conditions, 'Ready')) return false;
      return (node.spec?.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE);
    }),
  );
}

/** Notes since when nodes that pods name are missing, and forgets those that have come. @returns names that have been missing for long enough. */
export function quarantine(
  missingSinceMs: Map<string, number>,
  pods: readonly Pod[],
  exists: (node: string) => boolean,
  nowMs: number,
): readonly string[] {
  const missing = new Set<string>();
  for (const { spec } of pods) if (spec.nodeName && !missing.has(spec.nodeName) && !exists(spec.nodeName)) missing.add(spec.nodeName);
  for (const name of missingSinceMs.keys()) if (!missing.has(name)) missingSinceMs.delete(name);
  for (const name of missing) if (!missingSinceMs.has(name)) missingSinceMs.set(name, nowMs);
  return [...missing].filter((name) => nowMs - (missingSinceMs.get(name) ?? nowMs) >= QUARANTINE_MS);
}
