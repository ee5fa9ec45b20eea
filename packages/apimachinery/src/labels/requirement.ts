import { newBadRequest } from '../errors/status-error.ts';
import type { FieldError } from '../field/field-error.ts';
import { invalid, notSupported } from '../field/field-error.ts';
import { isQualifiedName, isValidLabelValue } from '../validation/names.ts';
import type { LabelOperator, LabelRequirement } from './selector.ts';

const binaryOperators: readonly string[] = ['in', 'notin', '=', '==', '!=', 'gt', 'lt'];
const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** The operators that take values, as messages list them. */
export const binaryOperatorList = binaryOperators.join(', ');

/** Why a label key is refused, as one sentence; undefined where it is fine. */
export function labelKeyProblem(key: string): string | undefined {
  const reasons = isQualifiedName(key);
  return reasons.length === 0 ? undefined : `Invalid value: ${JSON.stringify(key)}: ${reasons.join('; ')}`;
}

/**
 * A checked requirement, values sorted and without repeats.
 * @throws StatusError BadRequest with upstream's aggregated text. Source: labels.NewRequirement.
 */
export function newRequirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const errors = requirementErrors(key, operator, values);
  if (errors.length > 0) throw newBadRequest(aggregate(errors));
  return { key, operator, values: values.length < 2 ? values : [...new Set(values)].sort() };
}

function requirementErrors(key: string, operator: LabelOperator, values: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const keyReasons = isQualifiedName(key);
  if (keyReasons.length > 0) errors.push(invalid('key', key, keyReasons.join('; ')));
  errors.push(...countErrors(operator, values));
  values.forEach((value, index) => {
    const reasons = isValidLabelValue(value);
    if (reasons.length > 0) errors.push(invalid(`values[${index}][${key}]`, value, reasons.join('; ')));
  });
  return errors;
}

function countErrors(operator: LabelOperator, values: readonly string[]): FieldError[] {
  switch (operator) {
    case 'in':
    case 'notin':
      return values.length > 0 ? [] : [invalid('values', values, "for 'in', 'notin' operators, values set can't be empty")];
    case '=':
    case '==':
    case '!=':
      return values.length === 1 ? [] : [invalid('values', values, 'exact-match compatibility requires one single value')];
    case 'exists':
    case '!':
      return values.length === 0 ? [] : [invalid('values', values, 'values set must be empty for exists and does not exist')];
    case 'gt':
    case 'lt':
      return integerErrors(values);
    default:
      return [notSupported('operator', operator, [...binaryOperators, 'exists', '!'])];
  }
}

function integerErrors(values: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (values.length !== 1) errors.push(invalid('values', values, "for 'Gt', 'Lt' operators, exactly one value is required"));
  values.forEach((value, index) => {
    if (parseInt64(value) === undefined) {
      errors.push(invalid(`values[${index}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    }
  });
  return errors;
}

function aggregate(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))];
  return texts.length === 1 ? String(texts[0]) : `[${texts.join(', ')}]`;
}

function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,25}$/.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value >= int64Min && value <= int64Max ? value : undefined;
}

/** True where `actual`, a label's value or undefined where the label is absent, meets the requirement. */
export function requirementHolds(requirement: LabelRequirement, actual: string | undefined): boolean {
  switch (requirement.operator) {
    case '=':
    case '==':
    case 'in':
      return actual !== undefined && requirement.values.includes(actual);
    case '!=':
    case 'notin':
      return actual === undefined || !requirement.values.includes(actual);
    case 'exists':
      return actual !== undefined;
    case '!':
      return actual === undefined;
    case 'gt':
    case 'lt':
      return actual !== undefined && compares(requirement, actual);
  }
}

function compares({ operator, values }: LabelRequirement, actual: string): boolean {
  const left = parseInt64(actual);
  const right = parseInt64(values[0] ?? '');
  if (left === undefined || right === undefined) return false;
  return operator === 'gt' ? left > right : left < right;
}

/** Canonical text of one requirement. */
export function printRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values.join(',')}`;
    case 'lt':
      return `${key}<${values.join(',')}`;
    default:
      return `${key}${operator}${values.join(',')}`;
  }
}
