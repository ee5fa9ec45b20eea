/** Why a field is refused. Values are wire format (`Status.details.causes[].reason`). Source: field.ErrorType. */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** One refused field. `message` reads after the field's path and a colon. Validation returns lists of these, it never throws. */
export interface FieldError {
  readonly reason: FieldErrorType;
  /** As `spec.containers[0].image` or `metadata.labels[app]`. */
  readonly field: string;
  readonly message: string;
}

/** Joins path steps: strings are fields, numbers are indexes, `[key]` is a map key. `path('spec', 'ports', 0, 'name')`. */
export function fieldPath(...steps: readonly (string | number | { readonly key: string })[]): string {
  let out = '';
  for (const step of steps) {
    if (typeof step === 'number') out += `[${step}]`;
    else if (typeof step === 'object') out += `[${step.key}]`;
    else out += out === '' || step === '' ? step : `.${step}`;
  }
  return out;
}

/** Go's `%v`/`%q` as upstream prints a bad value: strings quoted, `null` for absent, objects as JSON. */
function show(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return JSON.stringify(value);
}

const tail = (detail: string): string => (detail === '' ? '' : `: ${detail}`);

export const required = (field: string, detail = ''): FieldError => ({
  reason: 'FieldValueRequired',
  field,
  message: `Required value${tail(detail)}`,
});
export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${show(value)}${tail(detail)}`,
});
export const duplicate = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${show(value)}`,
});
export const forbidden = (field: string, detail: string): FieldError => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden${tail(detail)}`,
});
export const notFound = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueNotFound',
  field,
  message: `Not found: ${show(value)}`,
});
/** @param supported - Accepted values; shown quoted and in this order, which is part of the message. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${show(value)}${
    supported.length === 0 ? '' : `: supported values: ${supported.map((v) => JSON.stringify(v)).join(', ')}`
  }`,
});
/** @param bytesMax - Largest size allowed, in bytes; negative leaves the limit out of the message. */
export const tooLong = (field: string, bytesMax: number): FieldError => ({
  reason: 'FieldValueTooLong',
  field,
  message: `Too long: ${bytesMax < 0 ? 'value is too long' : `may not be more than ${bytesMax} bytes`}`,
});
/** @param countMax - Most items allowed. */
export const tooMany = (field: string, count: number, countMax: number): FieldError => ({
  reason: 'FieldValueTooMany',
  field,
  message: `Too many: ${count}: must have at most ${countMax} ${countMax === 1 ? 'item' : 'items'}`,
});
export const typeInvalid = (field: string, value: unknown, detail: string): FieldError => ({
  reason: 'FieldValueTypeInvalid',
  field,
  message: `Invalid value: ${show(value)}${tail(detail)}`,
});
