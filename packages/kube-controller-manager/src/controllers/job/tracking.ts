import type { Job, JobCondition, JobStatus } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import type { Assessment } from './assessment.ts';
import { jobCondition, trueCondition, withJobCondition } from './conditions.ts';
import { judgeFailure } from './failure-policy.ts';
import { countIndexes, hasIndex, printIntervals, withIndexes } from './index-intervals.ts';
import { completionIndex, isIndexed, isPodFailed, isTracked, validIndex } from './job-pods.ts';

/** Ended pods noted in one status: keeps it below 20 kB. */
const UNCOUNTED_MAX = 500;

export interface TrackingInput {
  /** With the conditions and counts of this pass. */
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly released: ReadonlySet<string>;
  readonly assessment: Assessment;
  /** Why the job ends in this pass; undefined while it goes on or pods that it should not have may be left. */
  readonly end: JobCondition | undefined;
  readonly nowMs: number;
}

export interface Tracking {
  /** To be written before any finalizer is removed: names the pods that are about to be counted. */
  readonly status: JobStatus;
  /** Pods whose finalizer is to be removed then. */
  readonly release: readonly Pod[];
  /** Uids of all pods that still have their finalizer: their ends are not counted yet. */
  readonly held: ReadonlySet<string>;
  /** `Complete` or `Failed`, to be set when all ends are counted and nothing terminates. */
  readonly final: JobCondition | undefined;
}

/** Which ended pods are counted now. Source: trackJobStatusAndRemoveFinalizers, KEP-2307. */
export function planTracking(input: TrackingInput): Tracking {
  const { job, pods, released, end, nowMs } = input;
  const heldPods = pods.filter((pod) => isTracked(pod) && !released.has(pod.metadata.uid));
  const held = new Set(heldPods.map(({ metadata }) => metadata.uid));
  const settled = settleUncounted(job.status, held);
  const counts = countEnds(input, heldPods, settled);
  const conditions = withInterim(settled.conditions, end);
  return {
    status: tidyStatus({ ...settled, ...counts.status, ...(conditions === undefined ? {} : { conditions }) }),
    release: counts.release,
    held,
    final: end === undefined || counts.full ? undefined : finalCondition(end, nowMs),
  };
}

/** Counts the pods that have lost their finalizer since they were noted. */
export function settleUncounted(status: JobStatus, held: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const stillSucceeded = succeeded.filter((uid) => held.has(uid));
  const stillFailed = failed.filter((uid) => held.has(uid));
  return {
    ...status,
    succeeded: (status.succeeded ?? 0) + succeeded.length - stillSucceeded.length,
    failed: (status.failed ?? 0) + failed.length - stillFailed.length,
    uncountedTerminatedPods: { succeeded: stillSucceeded, failed: stillFailed },
  };
}

/** As the API shows it: zeros and empty lists are left out, but for the counts that upstream holds by pointer. */
export function tidyStatus(status: JobStatus): JobStatus {
  const { active, succeeded, failed, completedIndexes, uncountedTerminatedPods, ...rest } = status;
  const { succeeded: good = [], failed: bad = [] } = uncountedTerminatedPods ?? {};
  return {
    ...rest,
    ...(active ? { active } : {}),
    ...(succeeded ? { succeeded } : {}),
    ...(failed ? { failed } : {}),
    ...(completedIndexes ? { completedIndexes } : {}),
    uncountedTerminatedPods: { ...(good.length === 0 ? {} : { succeeded: good }), ...(bad.length === 0 ? {} : { failed: bad }) },
  };
}

function countEnds(input: TrackingInput, heldPods: readonly Pod[], settled: JobStatus) {
  const { job, assessment } = input;
  const succeeded = [...(settled.uncountedTerminatedPods?.succeeded ?? [])];
  const failed = [...(settled.uncountedTerminatedPods?.failed ?? [])];
  const wasUncounted = { succeeded: new Set(succeeded), failed: new Set(failed) };
  const newIndexes = new Set<number>();
  const release: Pod[] = [];
  let full = false;
  for (const pod of isIndexed(job) ? inIndexOrder(heldPods) : heldPods) {
    if (!isOver(input, pod)) continue;
    release.push(pod);
    const { uid } = pod.metadata;
    if (pod.status.phase === 'Succeeded' && !wasUncounted.failed.has(uid)) {
      const index = validIndex(job, pod);
      if (!isIndexed(job)) {
        if (!wasUncounted.succeeded.has(uid)) succeeded.push(uid);
      } else if (index !== undefined && !hasIndex(assessment.countedIndexes, index)) newIndexes.add(index);
    } else if (countsAsFailure(input, pod) && !wasUncounted.failed.has(uid)) failed.push(uid);
    full = newIndexes.size + succeeded.length + failed.length >= UNCOUNTED_MAX;
    if (full) break;
  }
  const uncountedTerminatedPods = { succeeded, failed };
  if (!isIndexed(job)) return { release, full, status: { uncountedTerminatedPods } };
  const indexes = withIndexes(assessment.countedIndexes, newIndexes);
  const { failedIndexes } = assessment;
  return {
    release,
    full,
    status: {
      uncountedTerminatedPods,
      succeeded: countIndexes(indexes),
      completedIndexes: printIntervals(indexes),
      ...(failedIndexes === undefined ? {} : { failedIndexes: printIntervals(failedIndexes) }),
    },
  };
}

const inIndexOrder = (pods: readonly Pod[]): readonly Pod[] =>
  [...pods].sort((a, b) => (completionIndex(a) ?? -1) - (completionIndex(b) ?? -1));

/** Whether the pod need not be kept any longer. */
function isOver({ job, assessment, end }: TrackingInput, pod: Pod): boolean {
  if (job.metadata.deletionTimestamp !== undefined || end !== undefined || pod.status.phase === 'Succeeded') return true;
  if (!isPodFailed(job, pod)) return false;
  const index = completionIndex(pod);
  return index === undefined || assessment.kept.get(index)?.metadata.uid !== pod.metadata.uid;
}

function countsAsFailure({ job, end }: TrackingInput, pod: Pod): boolean {
  // When a job fails, every pod that has not ended is a failure of it.
  const jobFails = end !== undefined && end.type !== 'SuccessCriteriaMet';
  if (!isPodFailed(job, pod) && !jobFails) return false;
  if (isIndexed(job) && validIndex(job, pod) === undefined) return false;
  return judgeFailure(job.spec.podFailurePolicy, pod).counts;
}

/** The end is announced before finalizers are removed, so that it is not forgotten with the pods that caused it. */
function withInterim(conditions: readonly JobCondition[] | undefined, end: JobCondition | undefined): readonly JobCondition[] | undefined {
  if (end === undefined || end.type === 'Failed' || trueCondition(conditions, end.type) !== undefined) return conditions;
  return withJobCondition(conditions, end);
}

const finalCondition = (end: JobCondition, nowMs: number): JobCondition =>
  jobCondition(end.type === 'SuccessCriteriaMet' ? 'Complete' : 'Failed', end.reason ?? '', end.message ?? '', nowMs);
