import { jobs as jobResource } from '@orrery/api';
import type { Job, JobCondition, JobStatus } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { equalJson, formatTime, type Json, keyOf, type NamespacedName } from '@orrery/apimachinery';
import type { Result } from '@orrery/controller';
import { type Assessment, assessJob } from './assessment.ts';
import { noBackoff } from './backoff.ts';
import { jobCondition, withJobCondition } from './conditions.ts';
import { forgetJob, type JobDeps, type JobPass } from './job-deps.ts';
import { isJobFinished, isManagedElsewhere, isSuspended } from './job-pods.ts';
import { planPods } from './pod-plan.ts';
import { claimJobPods, createPods, releasePods, removeActive, removeSurplus, type Written } from './pod-writes.ts';
import { planTracking, settleUncounted, tidyStatus } from './tracking.ts';

/** Level-driven: looks at all pods of a job, counts what has ended, makes or deletes what is missing or too much. Source: syncJob. */
export async function reconcileJob(deps: JobDeps, name: NamespacedName, signal: AbortSignal): Promise<Result> {
  const key = keyOf({ metadata: { name: name.name, namespace: name.namespace ?? '' } });
  const { memory, context } = deps;
  const cached = deps.jobs.get(key);
  if (cached === undefined) {
    forgetJob(memory, key);
    return {};
  }
  if (isManagedElsewhere(cached)) return {};
  if (isJobFinished(cached)) {
    memory.backoff.delete(key);
    return {};
  }
  if (isStale(deps, key, cached)) return {}; // Our last write is on its way: it wakes us.
  const nowMs = context.clock.now();
  const pass: JobPass = { deps, key, nowMs, signal };
  const settled = memory.expectations.isSettled(key); // Before pods are read: one that comes in between is counted.
  const pods = await claimJobPods(pass, cached);
  const job = started(cached, nowMs);
  const released = memory.released.get(key) ?? new Set();
  const assessment = assessJob({ job, pods, released, backoff: memory.backoff.get(key) ?? noBackoff, nowMs });
  const managed =
    assessment.end === undefined ? await goOn(pass, job, assessment, pods, settled) : await endPods(pass, job, assessment, settled);
  await track(pass, cached, managed, assessment, pods, released);
  if (managed.error !== undefined) throw managed.error; // Try again, with backoff.
  return requeueAfter(managed.end === undefined ? [managed.waitMs, assessment.deadlineInMs] : []);
}

function isStale({ memory }: JobDeps, key: string, { metadata }: Job): boolean {
  const written = memory.written.get(key);
  return written !== undefined && written.uid === metadata.uid && BigInt(metadata.resourceVersion ?? '0') < written.resourceVersion;
}

const started = (job: Job, nowMs: number): Job =>
  job.status.startTime !== undefined || isSuspended(job) ? job : { ...job, status: { ...job.status, startTime: formatTime(nowMs) } };

function requeueAfter(delaysMs: readonly (number | undefined)[]): Result {
  const known = delaysMs.filter((delay) => delay !== undefined);
  return known.length === 0 ? {} : { requeueAfterMs: Math.max(1, Math.min(...known)) };
}

/** A job after its pods were made or deleted. */
interface Managed {
  /** With conditions and counts; not yet written. */
  readonly job: Job;
  /** Why it ends; undefined when it does not, or not in this pass. */
  readonly end: JobCondition | undefined;
  readonly terminating: number;
  readonly waitMs: number | undefined;
  readonly error: unknown;
}

const nothing: Written = { count: 0, ready: 0, error: undefined };

function withCounts(
  job: Job,
  { active, ready, terminating }: { readonly active: number; readonly ready: number; readonly terminating: number },
): Job {
  return { ...job, status: { ...job.status, active, ready, terminating } };
}

async function endPods(pass: JobPass, job: Job, assessment: Assessment, settled: boolean): Promise<Managed> {
  const { count, ready, error } = await removeActive(pass, job, assessment.active);
  const active = assessment.active.length - count;
  const terminating = assessment.terminating + count;
  return {
    job: withCounts(job, { active, ready: assessment.ready - ready, terminating }),
    // Pods that could not be deleted, or that the cache does not show yet, would outlive the job's end.
    end: active === 0 && settled ? assessment.end : undefined,
    terminating,
    waitMs: undefined,
    error,
  };
}

async function goOn(pass: JobPass, job: Job, assessment: Assessment, pods: readonly Pod[], settled: boolean): Promise<Managed> {
  const manages = settled && job.metadata.deletionTimestamp === undefined;
  const plan = manages ? planPods(job, assessment, pods, pass.nowMs) : { action: 'none' as const };
  const removed = plan.action === 'remove' ? await removeSurplus(pass, job, plan.pods) : nothing;
  const created = plan.action === 'create' ? await createPods(pass, job, plan, assessment.kept) : nothing;
  const active = assessment.active.length - removed.count + created.count;
  const terminating = assessment.terminating + removed.count;
  const { completions } = job.spec;
  const enough = completions === undefined ? assessment.succeeded > 0 : assessment.succeeded >= completions;
  const complete = enough && active === 0;
  const end = complete
    ? jobCondition('SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods', pass.nowMs)
    : undefined;
  const counted = withCounts(job, { active, ready: assessment.ready - removed.ready, terminating });
  return {
    job: complete || !manages ? counted : withSuspension(pass, counted),
    end,
    terminating,
    waitMs: plan.action === 'wait' ? plan.ms : undefined,
    error: removed.error ?? created.error,
  };
}

function withSuspension({ deps, nowMs }: JobPass, job: Job): Job {
  const suspended = isSuspended(job);
  const next = suspended
    ? jobCondition('Suspended', 'JobSuspended', 'Job suspended', nowMs)
    : jobCondition('Suspended', 'JobResumed', 'Job resumed', nowMs, 'False');
  const conditions = withJobCondition(job.status.conditions, next);
  if (conditions === job.status.conditions || (conditions.length === 0 && job.status.conditions === undefined)) return job;
  deps.recorder.event(job, 'Normal', suspended ? 'Suspended' : 'Resumed', suspended ? 'Job suspended' : 'Job resumed');
  // The deadline counts from the last start.
  return { ...job, status: { ...job.status, conditions, ...(suspended ? {} : { startTime: formatTime(nowMs) }) } };
}

/** Counts what has ended, in an order that survives a crash at any point: note, let go, count. */
async function track(
  pass: JobPass,
  cached: Job,
  { job, end, terminating }: Managed,
  assessment: Assessment,
  pods: readonly Pod[],
  released: ReadonlySet<string>,
): Promise<void> {
  const { deps, key, nowMs } = pass;
  const tracking = planTracking({ job, pods, released, assessment, end, nowMs });
  const noted = await writeStatus(pass, cached, tracking.status);
  if (noted !== cached) deps.memory.backoff.set(key, assessment.backoff);
  const { uids, error } = await releasePods(pass, tracking.release);
  const gone = new Set(uids);
  const held = new Set([...tracking.held].filter((uid) => !gone.has(uid)));
  const counted = tidyStatus(settleUncounted(noted.status, held));
  if (error !== undefined) {
    await writeStatus(pass, noted, counted);
    throw error;
  }
  const uncounted = counted.uncountedTerminatedPods ?? {};
  const finishes = uncounted.succeeded === undefined && uncounted.failed === undefined && terminating === 0;
  if (tracking.final === undefined || !finishes) {
    await writeStatus(pass, noted, counted);
    return;
  }
  const written = await writeStatus(pass, noted, withFinal(counted, tracking.final));
  recordFinish(deps, written, tracking.final);
}

const withFinal = (status: JobStatus, final: JobCondition): JobStatus => ({
  ...status,
  conditions: withJobCondition(status.conditions, final),
  ...(final.type === 'Complete' && final.lastTransitionTime !== undefined ? { completionTime: final.lastTransitionTime } : {}),
});

function recordFinish({ recorder }: JobDeps, job: Job, { type, reason = '', message = '' }: JobCondition): void {
  if (type !== 'Complete') {
    recorder.event(job, 'Warning', reason, message);
    return;
  }
  const { completions } = job.spec;
  if (completions !== undefined && (job.status.succeeded ?? 0) > completions)
    recorder.event(job, 'Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached');
  recorder.event(job, 'Normal', 'Completed', 'Job completed');
}

/** The job with `status`, written when that is new. */
async function writeStatus({ deps, key, signal }: JobPass, job: Job, status: JobStatus): Promise<Job> {
  if (equalJson(status as unknown as Json, job.status as unknown as Json)) return job;
  const written = await deps.context.client.updateStatus(jobResource, { ...job, status }, { signal });
  const { uid, resourceVersion = '0' } = written.metadata;
  deps.memory.written.set(key, { uid, resourceVersion: BigInt(resourceVersion) });
  return written;
}
