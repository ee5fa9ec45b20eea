import type { Draft } from '@orrery/apimachinery';

/** Sets `key` where it is absent, null or the empty string: Go's zero value of a string or pointer. */
export function fill<T extends object, K extends keyof T>(target: T, key: K, value: NonNullable<T[K]>): void {
  const present: unknown = target[key];
  if (present === undefined || present === null || present === '') target[key] = value;
}

/** As {@link fill}, and 0 counts as absent: for numbers that upstream does not keep behind a pointer. */
export function fillZero<T extends object, K extends keyof T>(target: T, key: K, value: NonNullable<T[K]>): void {
  if ((target[key] as unknown) === 0) target[key] = value;
  else fill(target, key, value);
}

/** `target[key]`, made an empty object first where a client left it out. Every other field of it may be absent, whatever its type says. */
export function ensure<T extends object, K extends keyof T>(target: T, key: K): NonNullable<T[K]> {
  const present = target[key];
  if (present !== undefined && present !== null) return present;
  const made = {} as NonNullable<T[K]>;
  target[key] = made;
  return made;
}

/** A draft of plain JSON data that shares it: for values that a draft takes over unchanged and nobody writes into. */
export function asDraft<T>(value: T): Draft<T> {
  return value as Draft<T>;
}
