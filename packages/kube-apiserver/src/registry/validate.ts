import { type FieldError, invalid } from '@orrery/apimachinery';
import { semanticEqual } from './semantic-equal.ts';

/** One `Invalid value` error for each reason that `check` finds. */
export function check(field: string, value: string, rule: (value: string) => readonly string[]): FieldError[] {
  return rule(value).map((reason) => invalid(field, value, reason));
}

/** Source: ValidateNonnegativeField. */
export function nonNegative(field: string, value: number | undefined): FieldError[] {
  return value !== undefined && value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : [];
}

/** Refuses a change. Source: ValidateImmutableField. */
export function immutable(field: string, value: unknown, old: unknown): FieldError[] {
  return semanticEqual(value, old) ? [] : [invalid(field, value, 'field is immutable')];
}

/** Runs `rule` over a list with the path of each item. */
export function each<T>(
  field: string,
  list: readonly T[] | undefined,
  rule: (item: T, field: string, index: number) => readonly FieldError[],
): FieldError[] {
  return (list ?? []).flatMap((item, index) => rule(item, `${field}[${index}]`, index));
}
