import type { FieldError } from '../field/field-error.ts';
import { fieldPath, forbidden, invalid, required } from '../field/field-error.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../generated/meta-v1.ts';
import { isQualifiedName, isValidLabelValue } from './names.ts';

/** One label key, annotation key or resource name. Source: ValidateLabelName. */
export const validateLabelName = (name: string, path: string): FieldError[] =>
  isQualifiedName(name).map((reason) => invalid(path, name, reason));

/** Keys and values of a set of labels; every error stands at `path` itself. Source: ValidateLabels. */
export function validateLabels(labels: { readonly [key: string]: string } | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    errors.push(...validateLabelName(key, path));
    for (const reason of isValidLabelValue(value)) errors.push(invalid(path, value, reason));
  }
  return errors;
}

export interface LabelSelectorOptions {
  /** Objects written before label values were checked keep theirs. @default false */
  readonly allowInvalidValues?: boolean;
}

/** Source: ValidateLabelSelector. */
export function validateLabelSelector(
  selector: LabelSelector | undefined,
  path: string,
  { allowInvalidValues = false }: LabelSelectorOptions = {},
): FieldError[] {
  if (selector === undefined || selector === null) return [];
  const expressions = selector.matchExpressions ?? [];
  return [
    ...validateLabels(selector.matchLabels, fieldPath(path, 'matchLabels')),
    ...expressions.flatMap((expression, index) =>
      requirementErrors(expression, fieldPath(path, 'matchExpressions', index), allowInvalidValues),
    ),
  ];
}

function requirementErrors({ key, operator, values = [] }: LabelSelectorRequirement, path: string, anyValue: boolean): FieldError[] {
  const errors = [...operatorErrors(operator, values.length, path), ...validateLabelName(key, fieldPath(path, 'key'))];
  if (anyValue) return errors;
  values.forEach((value, index) => {
    for (const reason of isValidLabelValue(value)) errors.push(invalid(fieldPath(path, 'values', index), value, reason));
  });
  return errors;
}

function operatorErrors(operator: string, valueCount: number, path: string): FieldError[] {
  const valuesPath = fieldPath(path, 'values');
  switch (operator) {
    case 'In':
    case 'NotIn':
      return valueCount > 0 ? [] : [required(valuesPath, "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      return valueCount === 0 ? [] : [forbidden(valuesPath, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    default:
      return [invalid(fieldPath(path, 'operator'), operator, 'not a valid selector operator')];
  }
}
