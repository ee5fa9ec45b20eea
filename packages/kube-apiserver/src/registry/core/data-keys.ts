import { type FieldError, fieldPath, forbidden, invalid, isConfigMapKey } from '@orrery/apimachinery';
import { semanticEqual } from '../semantic-equal.ts';

/** Most bytes that the values of one ConfigMap or Secret hold together: 1 MiB. */
export const DATA_BYTES_MAX = 1024 * 1024;
export function validateDataKeys(field: string, data: Readonly<Record<string, string>>): FieldError[] {
  return Object.keys(data)
    .sort()
    .flatMap((key) => isConfigMapKey(key).map((reason) => invalid(fieldPath(field, { key }), key, reason)));
}

/** Size in bytes of what a base64 text stands for. */
export function base64Bytes(text: string): number {
  return Buffer.byteLength(text, 'base64');
}

/** Rules of an object that was made immutable: it stays so, and its data does not change. */
export function validateImmutableData<T extends { readonly immutable?: boolean }>(
  next: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const errors: FieldError[] = [];
  if (next.immutable !== true) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
  for (const field of fields) {
    if (!semanticEqual(next[field], old[field])) errors.push(forbidden(field, 'field is immutable when `immutable` is set'));
  }
  return errors;
}
