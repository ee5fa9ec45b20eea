/** Any JSON value, deeply read-only. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** A JSON object. Absent and `undefined` mean the same. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** `T` with every level writable: what a strategy may change before the object is stored. */
export type Draft<T> = T extends readonly (infer U)[] ? Draft<U>[] : T extends object ? { -readonly [K in keyof T]: Draft<T[K]> } : T;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Freezes `value` and everything below it; returns it. Tests freeze what caches hand out, production does not pay for it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const child of Object.values(value)) deepFreeze(child);
  return value;
}

/** A copy of plain JSON data that shares nothing with `value`. For request bodies and patches, never for cached objects. */
export function cloneJson<T>(value: T): Draft<T> {
  if (Array.isArray(value)) return value.map(cloneJson) as Draft<T>;
  if (typeof value !== 'object' || value === null) return value as Draft<T>;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) setOwn(copy, key, cloneJson((value as Record<string, unknown>)[key]));
  return copy as Draft<T>;
}

/** `object[key] = value` for a key that a client chose: `__proto__` becomes a plain member and never changes the prototype. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}
