import type { Job } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { isPodTerminal, isPodTerminating } from '@orrery/client';
import { inDeletionOrder } from '../replicas/deletion-order.ts';
import type { Assessment } from './assessment.ts';
import { backoffLeftMs, indexBackoffLeftMs } from './backoff.ts';
import { firstFree, mergeIntervals, withIndexes } from './index-intervals.ts';
import { completionIndex, isIndexed, isSuspended, replacesOnlyFailed, validIndex } from './job-pods.ts';

/** Pods made or deleted in one pass; the rest waits for the next. */
const CHANGES_MAX = 500;

export type PodPlan =
  | { readonly action: 'none' }
  | { readonly action: 'remove'; readonly pods: readonly Pod[] }
  | { readonly action: 'wait'; readonly ms: number }
  /** `indexes` is undefined for jobs without, otherwise it has `count` of them. */
  | { readonly action: 'create'; readonly count: number; readonly indexes: readonly number[] | undefined };

/** What to do about the pods of a job that goes on. Source: manageJob. */
export function planPods(job: Job, assessment: Assessment, pods: readonly Pod[], nowMs: number): PodPlan {
  const { active, terminating } = assessment;
  if (isSuspended(job)) return active.length === 0 ? { action: 'none' } : { action: 'remove', pods: active };
  const wanted = wantedActive(job, assessment);
  const surplus = surplusPods(job, active, Math.max(0, active.length - wanted), nowMs).slice(0, CHANGES_MAX);
  if (surplus.length > 0) return { action: 'remove', pods: surplus };
  const missing = wanted - active.length - (replacesOnlyFailed(job) ? terminating : 0);
  if (missing <= 0) return { action: 'none' };
  const perIndex = job.spec.backoffLimitPerIndex !== undefined;
  const waitMs = perIndex ? 0 : backoffLeftMs(assessment.backoff, nowMs);
  if (waitMs > 0) return { action: 'wait', ms: waitMs };
  const count = Math.min(missing, CHANGES_MAX);
  if (!isIndexed(job)) return { action: 'create', count, indexes: undefined };
  const pending = pendingIndexes(job, assessment, pods, count);
  return perIndex ? planIndexes(assessment, pending, nowMs) : { action: 'create', count: pending.length, indexes: pending };
}

function wantedActive({ spec }: Job, { active, succeeded }: Assessment): number {
  const parallelism = spec.parallelism ?? 1;
  // Without a number of completions the first success says that the work is done: no new pods.
  if (spec.completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(spec.completions - succeeded, parallelism));
}

function pendingIndexes(job: Job, { active, succeededIndexes, failedIndexes }: Assessment, pods: readonly Pod[], count: number) {
  const held = replacesOnlyFailed(job) ? [...active, ...pods.filter((pod) => isPodTerminating(pod) && !isPodTerminal(pod))] : active;
  const inWork = held.map(completionIndex).filter((index) => index !== undefined);
  const taken = mergeIntervals(withIndexes(succeededIndexes, new Set(inWork)), failedIndexes ?? []);
  return firstFree(taken, count, job.spec.completions ?? 0);
}

/** Each index waits for its own backoff. */
function planIndexes({ kept }: Assessment, pending: readonly number[], nowMs: number): PodPlan {
  const waits = pending.map((index) => indexBackoffLeftMs(kept.get(index), nowMs));
  const indexes = pending.filter((_, at) => waits[at] === 0);
  if (indexes.length > 0 || pending.length === 0) return { action: 'create', count: indexes.length, indexes };
  return { action: 'wait', ms: Math.min(...waits) };
}

/** At least `atLeast` pods to delete; of an indexed job all that have no valid index or share theirs. */
export function surplusPods(job: Job, active: readonly Pod[], atLeast: number, nowMs: number): readonly Pod[] {
  const inOrder = inDeletionOrder(active, () => 0, nowMs);
  const surplus: Pod[] = [];
  let left = inOrder;
  if (isIndexed(job)) {
    const keepers = new Map<number, Pod>(); // The last in order of deletion is the most worth keeping.
    for (const pod of inOrder) {
      const index = validIndex(job, pod);
      if (index !== undefined) keepers.set(index, pod);
    }
    const kept = new Set(keepers.values());
    surplus.push(...inOrder.filter((pod) => !kept.has(pod)));
    left = inOrder.filter((pod) => kept.has(pod));
  }
  return [...surplus, ...left.slice(0, Math.max(0, atLeast - surplus.length))];
}
