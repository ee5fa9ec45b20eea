import type { JobCondition } from '@orrery/api/batch/v1';
import { formatTime } from '@orrery/apimachinery';
import { findCondition } from '@orrery/client';

/** A condition that is true from now on. */
export function jobCondition(type: string, reason: string, message: string, nowMs: number, status = 'True'): JobCondition {
  const now = formatTime(nowMs);
  return { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
}

/** The list with the condition in it. A condition that is not there is not added as false. Source: ensureJobConditionStatus. */
export function withJobCondition(conditions: readonly JobCondition[] | undefined, next: JobCondition): readonly JobCondition[] {
  const known = conditions ?? [];
  const at = known.findIndex(({ type }) => type === next.type);
  const old = known[at];
  if (old === undefined) return next.status === 'False' ? known : [...known, next];
  const same = old.status === next.status && old.reason === next.reason && old.message === next.message;
  return same ? known : known.with(at, next);
}

/** The condition, when it holds. */
export function trueCondition(conditions: readonly JobCondition[] | undefined, type: string): JobCondition | undefined {
  const found = findCondition(conditions, type);
  return found?.status === 'True' ? found : undefined;
}
