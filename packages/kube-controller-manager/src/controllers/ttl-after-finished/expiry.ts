import type { Job } from '@orrery/api/batch/v1';

/** When the job's time to live is over, in milliseconds since the epoch; undefined when it has none, has not finished, or is being deleted. */
export function expiresAtMs({ metadata, spec, status }: Job): number | undefined {
  if (metadata.deletionTimestamp !== undefined || spec.ttlSecondsAfterFinished === undefined) return undefined;
  const finished = (status.conditions ?? []).find(
    ({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True',
  );
  const finishedAtMs = Date.parse(finished?.lastTransitionTime ?? '');
  return Number.isNaN(finishedAtMs) ? undefined : finishedAtMs + spec.ttlSecondsAfterFinished * 1000;
}
