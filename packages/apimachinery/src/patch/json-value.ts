import type { Json, JsonObject } from '../json.ts';

/** A JSON object that its maker may still fill. */
export type OpenObject = Record<string, Json | undefined>;

/** Sets an own field, whatever its name: `__proto__` stays data. */
export function setField(object: OpenObject, key: string, value: Json | undefined): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

/** An own field; what a prototype carries is not there. */
export const ownField = (object: JsonObject, key: string): Json | undefined => (Object.hasOwn(object, key) ? object[key] : undefined);

/** Deep equality of JSON; undefined fields count as absent. */
export function equalJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => equalJson(item as Json, right[index] as Json));
  }
  return equalObjects(left as JsonObject, right as JsonObject);
}

function equalObjects(left: JsonObject, right: JsonObject): boolean {
  let count = 0;
  for (const key of Object.keys(left)) {
    const value = left[key];
    if (value === undefined) continue;
    count++;
    const other = ownField(right, key);
    if (other === undefined || !equalJson(value, other)) return false;
  }
  for (const key of Object.keys(right)) if (right[key] !== undefined) count--;
  return count === 0;
}

/** A value as Go's `%v` prints decoded JSON: messages of strategic merge show maps so. */
export function goFormat(value: Json | undefined): string {
  if (value === undefined || value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goFormat).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const object = value as JsonObject;
  return `map[${Object.keys(object)
    .sort()
    .map((key) => `${key}:${goFormat(object[key])}`)
    .join(' ')}]`;
}
