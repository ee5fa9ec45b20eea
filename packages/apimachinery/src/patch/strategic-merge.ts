import { newBadRequest } from '../errors/status-error.ts';
import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { Schema, StructSchema } from '../schema/schema.ts';
import { checkOrder, elementKey, goTypeOf, orderElements } from './element-order.ts';
import type { OpenObject } from './json-value.ts';
import { goFormat, ownField, setField } from './json-value.ts';
import { boundedDepth, failedPatch } from './patch-error.ts';
import { mergeLists } from './strategic-list.ts';
import { deletionPrefix, directiveKey, itemSchema, mergeRule, orderPrefix, retainKeysKey, withoutDirectives } from './strategic-schema.ts';

/**
 * What a strategic merge patch makes of `original`, sharing what it does not change. The schema says which lists merge and by
 * which key; the directives `$patch`, `$retainKeys`, `$setElementOrder/x` and `$deleteFromPrimitiveList/x` are understood.
 * @throws StatusError BadRequest for malformed directives, 500 with upstream's text elsewhere. Source: strategicpatch.StrategicMergeMapPatch.
 */
export function strategicMergePatch(schema: StructSchema, original: JsonObject, patch: unknown): JsonObject {
  if (!isJsonObject(patch)) throw newBadRequest('invalid JSON document');
  return boundedDepth(() => mergeObjects(original, patch, schema));
}

/** Merges two objects of one type. */
export function mergeObjects(original: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
  const directive = ownField(patch, directiveKey);
  if (directive === 'replace') return withoutDirectives(patch) as JsonObject;
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') {
    throw failedPatch(`unknown patch type: ${goFormat(directive)} in map: ${goFormat(patch)}`);
  }
  const result: OpenObject = { ...retained(original, patch) };
  const ordered = new Set<string>();
  for (const key of Object.keys(patch)) {
    if (key.startsWith(orderPrefix)) ordered.add(applyOrder(result, patch, key, schema));
  }
  for (const key of Object.keys(patch)) {
    if (key.startsWith(deletionPrefix)) deleteScalars(result, key, patch[key]);
    else if (!key.startsWith(orderPrefix) && !ordered.has(key) && key !== retainKeysKey && key !== directiveKey) {
      applyField(result, key, patch[key], schema);
    }
  }
  return equalShallow(original, result) ? original : result;
}

/** How elements of a list merge, whose schema is given. */
function itemMerger(list: Schema | undefined): (before: JsonObject, change: JsonObject) => JsonObject {
  const items = itemSchema(list);
  return (before, change) => mergeObjects(before, change, items);
}

function applyField(result: OpenObject, key: string, change: Json | undefined, schema: Schema | undefined): void {
  if (change === undefined) return;
  if (change === null) {
    delete result[key];
    return;
  }
  const before = ownField(result, key);
  if (isJsonObject(before) && isJsonObject(change)) {
    const rule = mergeRule(schema, key);
    setField(result, key, rule.strategy === 'replace' ? withoutDirectives(change) : mergeObjects(before, change, rule.schema));
  } else if (Array.isArray(before) && Array.isArray(change)) {
    const rule = mergeRule(schema, key);
    const mergeable = rule.strategy === 'merge';
    setField(result, key, mergeable ? mergeLists(before, change, rule.mergeKey, itemMerger(rule.schema)) : withoutDirectives(change));
  } else if (before !== change) {
    setField(result, key, withoutDirectives(change));
  }
}

/** `$retainKeys`: fields of the original that the list does not name go away; the patch may set none but these. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const list = ownField(patch, retainKeysKey);
  if (list === undefined) return original;
  if (!Array.isArray(list)) throw malformed('retainKeys');
  const keys = new Set<unknown>(list);
  for (const key of Object.keys(patch)) {
    const special = key === retainKeysKey || key.startsWith(deletionPrefix) || key.startsWith(orderPrefix);
    if (!special && patch[key] !== null && !keys.has(key)) throw malformed('retainKeys');
  }
  const result: OpenObject = {};
  for (const key of Object.keys(original)) if (keys.has(key)) setField(result, key, original[key]);
  return result;
}

/** `$deleteFromPrimitiveList/x`: takes scalars out of a list. */
function deleteScalars(result: OpenObject, directive: string, doomed: Json | undefined): void {
  const key = fieldOf(directive, deletionPrefix);
  const list = ownField(result, key);
  if (doomed === null || doomed === undefined) return;
  if (!Array.isArray(doomed)) throw malformed('primitive list');
  if (!Array.isArray(list)) return;
  const gone = new Set<unknown>(doomed);
  const kept = list.filter((element) => !gone.has(element));
  if (kept.length < list.length) setField(result, key, kept);
}

/** `$setElementOrder/x`: merges the list of that name and puts it in order. Answers with the name. */
function applyOrder(result: OpenObject, patch: JsonObject, directive: string, schema: Schema | undefined): string {
  const key = fieldOf(directive, orderPrefix);
  const order = listOf(patch[directive]);
  const before = ownField(result, key);
  const change = ownField(patch, key);
  const rule = mergeRule(schema, key);
  checkOrder(change === undefined ? [] : listOf(change), order, rule.mergeKey);
  if (before === undefined && change === undefined) return key;
  const current = before === undefined ? [] : listOf(before);
  let merged: readonly Json[] = current;
  if (change !== undefined) {
    const list = listOf(change);
    merged =
      rule.strategy === 'merge' ? mergeLists(current, list, rule.mergeKey, itemMerger(rule.schema)) : (withoutDirectives(list) as Json[]);
  }
  const ordered = orderElements(merged, order, current, elementKey(rule.mergeKey));
  setField(result, key, sameElements(ordered, current) ? current : ordered);
  return key;
}

function listOf(value: Json | undefined): readonly Json[] {
  if (!Array.isArray(value)) throw failedPatch(`expected a []interface {}, but received a ${goTypeOf(value)}`);
  return value;
}

function fieldOf(directive: string, prefix: string): string {
  if (!directive.startsWith(`${prefix}/`)) throw malformed(prefix === orderPrefix ? 'setElementOrder list' : 'primitive list');
  return directive.slice(prefix.length + 1);
}

const malformed = (what: string): Error => newBadRequest(`invalid patch format of ${what}`);

const sameElements = (left: readonly Json[], right: readonly Json[]): boolean =>
  left.length === right.length && left.every((element, index) => element === right[index]);

function equalShallow(left: JsonObject, right: JsonObject): boolean {
  const keys = Object.keys(right);
  return keys.length === Object.keys(left).length && keys.every((key) => Object.hasOwn(left, key) && left[key] === right[key]);
}
