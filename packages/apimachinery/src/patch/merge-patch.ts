import { newBadRequest } from '../errors/status-error.ts';
import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { OpenObject } from './json-value.ts';
import { equalJson, ownField, setField } from './json-value.ts';
import { boundedDepth } from './patch-error.ts';

/**
 * What a JSON Merge Patch (RFC 7386) makes of `value`, sharing what it does not change: `value` itself where nothing differs.
 * @throws StatusError BadRequest where the patch is no object.
 */
export function applyMergePatch(value: Json, patch: unknown): Json {
  if (!isJsonObject(patch)) throw newBadRequest('Invalid JSON Patch');
  return boundedDepth(() => merged(value, patch));
}

function merged(value: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const original = isJsonObject(value) ? value : undefined;
  let result: OpenObject | undefined = original === undefined ? {} : undefined;
  for (const key of Object.keys(patch)) {
    const change = patch[key];
    if (change === undefined) continue;
    const before = original === undefined ? undefined : ownField(original, key);
    const after = change === null ? undefined : merged(before, change);
    if (after === before) continue;
    result ??= { ...original };
    if (after === undefined) delete result[key];
    else setField(result, key, after);
  }
  return result ?? original ?? {};
}

/** The smallest merge patch that makes `after` of `before`. Nulls inside `after` are not expressible: they read as deletions. */
export function createMergePatch(before: JsonObject, after: JsonObject): JsonObject {
  const patch: OpenObject = {};
  for (const key of Object.keys(after)) {
    const next = after[key];
    const old = ownField(before, key);
    if (next === undefined || equalJson(old, next)) continue;
    setField(patch, key, isJsonObject(old) && isJsonObject(next) ? createMergePatch(old, next) : next);
  }
  for (const key of Object.keys(before)) if (before[key] !== undefined && ownField(after, key) === undefined) setField(patch, key, null);
  return patch;
}
