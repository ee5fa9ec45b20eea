import type { Job } from '@orrery/api/batch/v1';
import { duplicate, type FieldError, forbidden, invalid, required } from '@orrery/apimachinery';
import type { PartialUpdate } from '@orrery/apiserver';
import { each, nonNegative } from '../../validate.ts';
import { parseIndexes } from './indexes.ts';
import { defaultJob } from './strategy.ts';

/** `/status`: counts and conditions that fit together. Source: ValidateJobUpdateStatus. */
export const jobStatus: PartialUpdate<Job> = { default: defaultJob, validateUpdate: validateStatus };

const is = ({ status }: Job, type: string): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');

function validateStatus(next: Job, old: Job): FieldError[] {
  const { status = {}, spec } = next;
  return [
    ...(['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((key) => nonNegative(`status.${key}`, status[key])),
    ...validateUncounted(next),
    ...validateIndexes(next),
    ...validateFinished(next, old),
    ...((status.succeeded ?? 0) < (old.status?.succeeded ?? 0) && spec.completionMode !== 'Indexed'
      ? [invalid('status.succeeded', status.succeeded ?? 0, 'cannot decrease succeeded counter')]
      : []),
    ...((status.failed ?? 0) < (old.status?.failed ?? 0)
      ? [invalid('status.failed', status.failed ?? 0, 'cannot decrease failed counter')]
      : []),
    ...(old.status?.startTime !== undefined &&
    status.startTime !== old.status.startTime &&
    spec.suspend !== true &&
    old.spec.suspend !== true &&
    !(is(old, 'Suspended') && !is(next, 'Suspended')) // A job that is resumed starts anew.
      ? [invalid('status.startTime', status.startTime, 'cannot be changed for unsuspended job')]
      : []),
  ];
}

function validateUncounted({ status = {} }: Job): FieldError[] {
  const seen = new Set<string>();
  return (['succeeded', 'failed'] as const).flatMap((key) =>
    each(`status.uncountedTerminatedPods.${key}`, status.uncountedTerminatedPods?.[key], (uid, path) => {
      if (uid === '') return [invalid(path, uid, 'must not be empty')];
      if (seen.has(uid)) return [duplicate(path, uid)];
      seen.add(uid);
      return [];
    }),
  );
}

function validateIndexes({ spec, status = {} }: Job): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of ['completedIndexes', 'failedIndexes'] as const) {
    const text = status[key];
    if (text === undefined || text === '') continue;
    if (spec.completionMode !== 'Indexed')
      errors.push(invalid(`status.${key}`, text, `cannot set non-empty ${key} when non-indexed completion mode`));
    else {
      const parsed = parseIndexes(text, spec.completions ?? 0);
      if (typeof parsed === 'string') errors.push(invalid(`status.${key}`, text, `error parsing ${key}: ${parsed}`));
    }
  }
  return errors;
}

/** A finished job stays finished, with nothing running. */
function validateFinished(next: Job, old: Job): FieldError[] {
  const errors: FieldError[] = [];
  const { status = {} } = next;
  const complete = is(next, 'Complete');
  const failed = is(next, 'Failed');
  if (complete && failed)
    errors.push(invalid('status.conditions', status.conditions, 'cannot set Complete=True and Failed=true conditions'));
  if (complete && status.completionTime === undefined)
    errors.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
  if (!complete && status.completionTime !== undefined)
    errors.push(
      invalid('status.completionTime', status.completionTime, 'cannot set completionTime when there is no Complete=True condition'),
    );
  if ((complete || failed) && (status.active ?? 0) > 0)
    errors.push(invalid('status.active', status.active, 'active>0 is invalid for finished job'));
  for (const type of ['Complete', 'Failed']) {
    if (is(old, type) && !is(next, type)) errors.push(forbidden('status.conditions', `cannot disable the terminal ${type}=True condition`));
  }
  return errors;
}
