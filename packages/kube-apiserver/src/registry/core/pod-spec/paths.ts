import { type FieldError, invalid } from '@orrery/apimachinery';

/** Source: validatePathNoBacksteps. */
export function validateNoBacksteps(path: string, field: string): FieldError[] {
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

/** A path below some directory. Source: validateLocalDescendingPath. */
export function validateDescendingPath(path: string, field: string): FieldError[] {
  return [...(path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : []), ...validateNoBacksteps(path, field)];
}

/** The same, and not one of the hidden names that volumes use. Source: validateLocalNonReservedPath. */
export function validateVolumePath(path: string, field: string): FieldError[] {
  const errors = validateDescendingPath(path, field);
  if (path.startsWith('..') && !path.startsWith('../')) errors.push(invalid(field, path, "must not start with '..'"));
  return errors;
}

/** Permission bits of a file. Source: ValidateFileMode. */
export function validateMode(mode: number | undefined, field: string): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}
