import { formatTime } from '@orrery/apimachinery';

/** What every kind's conditions have in common. */
export interface ConditionLike {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export function findCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Whether the condition is there with status `True`. */
export function isConditionTrue(conditions: readonly ConditionLike[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The list with `condition` in it, in its old place or at the end. Its `lastTransitionTime` is kept while the status stays, and is set to
 * `nowMs` when the status changes and none is given. Returns `conditions` itself when nothing changes. Source: meta.SetStatusCondition.
 */
export function setCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, condition: C, nowMs: number): readonly C[] {
  const known = conditions ?? [];
  const at = known.findIndex(({ type }) => type === condition.type);
  const old = known[at];
  const lastTransitionTime =
    old !== undefined && old.status === condition.status ? old.lastTransitionTime : (condition.lastTransitionTime ?? formatTime(nowMs));
  const next: C = { ...condition, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) };
  if (old === undefined) return [...known, next];
  return sameFields(old, next) ? known : known.with(at, next);
}

/** The list without the condition; `conditions` itself when it was not there. */
export function removeCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): readonly C[] {
  const known = conditions ?? [];
  return known.some((condition) => condition.type === type) ? known.filter((condition) => condition.type !== type) : known;
}

/** Conditions are flat: comparing field by field is enough. */
function sameFields<C extends ConditionLike>(a: C, b: C): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof C>;
  return [...keys].every((key) => a[key] === b[key]);
}
