import type { Job } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { isPodTerminating, podReadyCondition } from '@orrery/client';
import { judgeFailure } from './failure-policy.ts';

/** Keeps a pod until its end is counted in the job's status. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';
/** Annotation and label. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';
export const INDEX_FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count';
export const INDEX_IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count';
const JOB_CONTROLLER = 'kubernetes.io/job-controller';

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed';
export const isSuspended = ({ spec }: Job): boolean => spec.suspend === true;
/** Whether another controller looks after the job. */
export const isManagedElsewhere = ({ spec }: Job): boolean => spec.managedBy !== undefined && spec.managedBy !== JOB_CONTROLLER;
/** Terminating pods are replaced only when they have failed. */
export const replacesOnlyFailed = ({ spec }: Job): boolean => spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined;
export const isJobFinished = ({ status }: Job): boolean =>
  (status.conditions ?? []).some(({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True');

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(TRACKING_FINALIZER) === true;

/** The index that the pod works on; undefined: it has none. */
export function completionIndex({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[COMPLETION_INDEX];
  return text !== undefined && /^\+?\d+$/.test(text) ? Number(text) : undefined;
}

/** The index, when the job (still) has it. */
export function validIndex(job: Job, pod: Pod): number | undefined {
  const index = completionIndex(pod);
  return index !== undefined && index < (job.spec.completions ?? 0) ? index : undefined;
}

/** Pods that are being deleted count as failed, unless the job waits for their end: orphans never reach the phase. */
export function isPodFailed(job: Job, pod: Pod): boolean {
  if (pod.status.phase === 'Failed') return true;
  return !replacesOnlyFailed(job) && isPodTerminating(pod) && pod.status.phase !== 'Succeeded';
}

const countIn = ({ metadata }: Pod, annotation: string): number => {
  const text = metadata.annotations?.[annotation] ?? '';
  const count = /^\+?\d+$/.test(text) ? Number(text) : 0;
  return count <= 2 ** 31 - 1 ? count : 0;
};

/** Failures of the pod's index before this pod: those that count, and those that a policy ignored. */
export const indexFailures = (pod: Pod): { readonly counted: number; readonly ignored: number } => ({
  counted: countIn(pod, INDEX_FAILURE_COUNT),
  ignored: countIn(pod, INDEX_IGNORED_FAILURE_COUNT),
});

/** Failures of the index before the pod that replaces `failed`. */
export function nextIndexFailures(job: Job, failed: Pod | undefined): { readonly counted: number; readonly ignored: number } {
  if (failed === undefined) return { counted: 0, ignored: 0 };
  const { counted, ignored } = indexFailures(failed);
  return judgeFailure(job.spec.podFailurePolicy, failed).counts ? { counted: counted + 1, ignored } : { counted, ignored: ignored + 1 };
}

/** Whether the pod's end was the last that its index may have. */
export function failsIndex(job: Job, pod: Pod): boolean {
  if (!isPodFailed(job, pod)) return false;
  const verdict = judgeFailure(job.spec.podFailurePolicy, pod);
  return verdict.failsIndex || (verdict.counts && indexFailures(pod).counted >= (job.spec.backoffLimitPerIndex ?? 0));
}

/** When the pod ended, as well as it can be told. Source: getFinishedTime. */
export function finishedAtMs(pod: Pod): number {
  const { metadata, status } = pod;
  const ends = (status.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''));
  if (ends.length > 0 && ends.every((end) => !Number.isNaN(end))) return Math.max(...ends);
  const ready = podReadyCondition(pod);
  const unreadyAtMs = ready?.status === 'False' ? Date.parse(ready.lastTransitionTime ?? '') : Number.NaN;
  if (!Number.isNaN(unreadyAtMs)) return unreadyAtMs;
  if (metadata.deletionTimestamp !== undefined)
    return Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  return Date.parse(metadata.creationTimestamp) || 0;
}
