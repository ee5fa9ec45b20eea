import type { Job, JobCondition } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { isPodActive, isPodReady, isPodTerminal, isPodTerminating } from '@orrery/client';
import { type Backoff, nextBackoff } from './backoff.ts';
import { jobCondition, trueCondition } from './conditions.ts';
import { judgeFailure } from './failure-policy.ts';
import { countIndexes, hasIndex, type Intervals, parseIntervals, withIndexes } from './index-intervals.ts';
import {
  completionIndex,
  failsIndex,
  finishedAtMs,
  indexFailures,
  isIndexed,
  isPodFailed,
  isSuspended,
  isTracked,
  validIndex,
} from './job-pods.ts';
import { metSuccessRule } from './success-policy.ts';

export interface AssessmentInput {
  /** Its start time is set, unless it is suspended. */
  readonly job: Job;
  /** All pods of the job, the finished and terminating ones too. */
  readonly pods: readonly Pod[];
  /** Uids of pods whose finalizer was taken off, though the cache may still show it: they are counted already. */
  readonly released: ReadonlySet<string>;
  readonly backoff: Backoff;
  readonly nowMs: number;
}

/** What a job's pods say about it. */
export interface Assessment {
  readonly active: readonly Pod[];
  readonly ready: number;
  readonly terminating: number;
  /** Counted or about to be. */
  readonly succeeded: number;
  readonly backoff: Backoff;
  /** Why the job ends, when it does: `FailureTarget` when that is new, `Failed` when it was known, or `SuccessCriteriaMet`. */
  readonly end: JobCondition | undefined;
  /** Indexed jobs: what the status says, and with what is new. */
  readonly countedIndexes: Intervals;
  readonly succeededIndexes: Intervals;
  /** Undefined without a backoff limit per index. */
  readonly failedIndexes: Intervals | undefined;
  /** The failed pod of each index that must be kept until its replacement is made, which takes over its count of failures. */
  readonly kept: ReadonlyMap<number, Pod>;
  /** Time until `activeDeadlineSeconds` is over. */
  readonly deadlineInMs: number | undefined;
}

/** Looks, decides nothing about pods. Source: the first half of syncJob. */
export function assessJob(input: AssessmentInput): Assessment {
  const { job, pods, released, nowMs } = input;
  const { status, spec } = job;
  const active = pods.filter(isPodActive);
  const uncounted = status.uncountedTerminatedPods ?? {};
  const fresh = pods.filter(
    (pod) => isTracked(pod) && !released.has(pod.metadata.uid) && (!isIndexed(job) || validIndex(job, pod) !== undefined),
  );
  const newSucceeded = fresh.filter(
    ({ metadata, status: { phase } }) => phase === 'Succeeded' && uncounted.succeeded?.includes(metadata.uid) !== true,
  );
  const newFailed = fresh.filter((pod) => isPodFailed(job, pod) && uncounted.failed?.includes(pod.metadata.uid) !== true);
  const indexes = assessIndexes(job, pods, fresh, active);
  const failed =
    (status.failed ?? 0) +
    (uncounted.failed?.length ?? 0) +
    newFailed.filter((pod) => judgeFailure(spec.podFailurePolicy, pod).counts).length;
  const startMs = Date.parse(status.startTime ?? '');
  const deadlineInMs =
    spec.activeDeadlineSeconds === undefined || Number.isNaN(startMs) || isSuspended(job) || resumes(job)
      ? undefined
      : startMs + spec.activeDeadlineSeconds * 1000 - nowMs;
  return {
    ...indexes,
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter((pod) => isPodTerminating(pod) && !isPodTerminal(pod)).length,
    succeeded: isIndexed(job)
      ? countIndexes(indexes.succeededIndexes)
      : (status.succeeded ?? 0) + (uncounted.succeeded?.length ?? 0) + newSucceeded.length,
    backoff: nextBackoff(input.backoff, newSucceeded, newFailed),
    deadlineInMs,
    end:
      knownEnd(input) ??
      policyFailure(input) ??
      limitFailure(input, failed, deadlineInMs) ??
      indexFailure(input, indexes) ??
      earlySuccess(input, indexes.succeededIndexes),
  };
}

/** The start time is still the one before the suspension: it says nothing, and is about to be set anew. */
const resumes = ({ status }: Job): boolean => trueCondition(status.conditions, 'Suspended') !== undefined;

type IndexAssessment = Pick<Assessment, 'countedIndexes' | 'succeededIndexes' | 'failedIndexes' | 'kept'>;

function assessIndexes(job: Job, pods: readonly Pod[], fresh: readonly Pod[], active: readonly Pod[]): IndexAssessment {
  if (!isIndexed(job)) return { countedIndexes: [], succeededIndexes: [], failedIndexes: undefined, kept: new Map() };
  const { status, spec } = job;
  const completions = spec.completions ?? 0;
  const indexesOf = (some: readonly Pod[]): Set<number> =>
    new Set(some.map((pod) => validIndex(job, pod)).filter((index) => index !== undefined));
  const countedIndexes = parseIntervals(status.completedIndexes ?? '', completions);
  const succeededIndexes = withIndexes(countedIndexes, indexesOf(pods.filter((pod) => pod.status.phase === 'Succeeded' && isTracked(pod))));
  if (spec.backoffLimitPerIndex === undefined) return { countedIndexes, succeededIndexes, failedIndexes: undefined, kept: new Map() };
  const failedIndexes = withIndexes(
    parseIntervals(status.failedIndexes ?? '', completions),
    indexesOf(pods.filter((pod) => isTracked(pod) && failsIndex(job, pod))),
  );
  const over = [
    succeededIndexes,
    failedIndexes,
    withIndexes(
      [],
      active.map(completionIndex).filter((index) => index !== undefined),
    ),
  ];
  return { countedIndexes, succeededIndexes, failedIndexes, kept: lastFailures(job, fresh, over) };
}

/** The last failed pod of each index that is in none of `over`. */
function lastFailures(job: Job, fresh: readonly Pod[], over: readonly Intervals[]): ReadonlyMap<number, Pod> {
  const last = new Map<number, Pod>();
  const failures = (pod: Pod): number => indexFailures(pod).counted + indexFailures(pod).ignored;
  for (const pod of fresh) {
    const index = validIndex(job, pod);
    if (index === undefined || !isPodFailed(job, pod) || over.some((indexes) => hasIndex(indexes, index))) continue;
    const other = last.get(index);
    if (other === undefined || (failures(other) <= failures(pod) && finishedAtMs(pod) >= finishedAtMs(other))) last.set(index, pod);
  }
  return last;
}

function knownEnd({ job, nowMs }: AssessmentInput): JobCondition | undefined {
  const { conditions } = job.status;
  const success = trueCondition(conditions, 'SuccessCriteriaMet');
  if (success !== undefined) return success;
  const failure = trueCondition(conditions, 'FailureTarget');
  return failure === undefined ? undefined : jobCondition('Failed', failure.reason ?? '', failure.message ?? '', nowMs);
}

function policyFailure({ job, pods, nowMs }: AssessmentInput): JobCondition | undefined {
  const { podFailurePolicy } = job.spec;
  if (podFailurePolicy === undefined) return undefined;
  for (const pod of pods) {
    const message = isPodFailed(job, pod) ? judgeFailure(podFailurePolicy, pod).failsJob : undefined;
    if (message !== undefined) return jobCondition('FailureTarget', 'PodFailurePolicy', message, nowMs);
  }
  return undefined;
}

function limitFailure({ job, pods, nowMs }: AssessmentInput, failed: number, deadlineInMs: number | undefined): JobCondition | undefined {
  if (failed > (job.spec.backoffLimit ?? 0) || restartsExceedLimit(job, pods))
    return jobCondition('FailureTarget', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit', nowMs);
  if (deadlineInMs !== undefined && deadlineInMs <= 0)
    return jobCondition('FailureTarget', 'DeadlineExceeded', 'Job was active longer than specified deadline', nowMs);
  return undefined;
}

/** Containers that are restarted in place (`restartPolicy: OnFailure`) count towards the limit too. */
function restartsExceedLimit({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false;
  const restarts = pods
    .filter(({ status: { phase } }) => phase === 'Running' || phase === 'Pending')
    .flatMap(({ status }) => [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  const limit = spec.backoffLimit ?? 0;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function indexFailure({ job, nowMs }: AssessmentInput, { failedIndexes, succeededIndexes }: IndexAssessment): JobCondition | undefined {
  if (failedIndexes === undefined) return undefined;
  const { maxFailedIndexes, completions = 0 } = job.spec;
  const failed = countIndexes(failedIndexes);
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes)
    return jobCondition(
      'FailureTarget',
      'MaxFailedIndexesExceeded',
      'Job has exceeded the specified maximal number of failed indexes',
      nowMs,
    );
  if (failed > 0 && failed + countIndexes(succeededIndexes) >= completions)
    return jobCondition('FailureTarget', 'FailedIndexes', 'Job has failed indexes', nowMs);
  return undefined;
}

function earlySuccess({ job, nowMs }: AssessmentInput, succeeded: Intervals): JobCondition | undefined {
  if (!isIndexed(job)) return undefined;
  const message = metSuccessRule(job.spec.successPolicy, job.spec.completions ?? 0, succeeded);
  return message === undefined ? undefined : jobCondition('SuccessCriteriaMet', 'SuccessPolicy', message, nowMs);
}
