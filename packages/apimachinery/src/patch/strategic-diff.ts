import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { Schema, StructSchema } from '../schema/schema.ts';
import { elementKey, mergeKeyOf, onlyKey, positions } from './element-order.ts';
import type { OpenObject } from './json-value.ts';
import { equalJson, ownField, setField } from './json-value.ts';
import { elementType } from './strategic-list.ts';
import { deletionPrefix, directiveKey, itemSchema, mergeRule, orderPrefix, retainKeysKey } from './strategic-schema.ts';

/**
 * The strategic merge patch that makes `after` of `before`, with the order of merged lists kept. Empty where nothing differs.
 * @throws StatusError as {@link strategicMergePatch}. Source: strategicpatch.CreateTwoWayMergePatch.
 */
export const createTwoWayMergePatch = (schema: StructSchema, before: JsonObject, after: JsonObject): JsonObject =>
  diffObjects(before, after, schema, false);

function diffObjects(before: JsonObject, after: JsonObject, schema: Schema | undefined, retainKeys: boolean): OpenObject {
  const patch: OpenObject = {};
  for (const key of Object.keys(after)) {
    const next = after[key];
    const old = ownField(before, key);
    if (next === undefined || old === next) continue;
    if (isJsonObject(old) && isJsonObject(next)) diffField(patch, key, old, next, schema);
    else if (Array.isArray(old) && Array.isArray(next)) diffList(patch, key, old, next, schema);
    else setField(patch, key, next);
  }
  const kept = Object.keys(after).filter((key) => after[key] !== undefined && after[key] !== null);
  for (const key of Object.keys(before)) if (before[key] !== undefined && ownField(after, key) === undefined) setField(patch, key, null);
  if (retainKeys && kept.length > 0 && Object.keys(patch).length > 0) patch[retainKeysKey] = kept.sort();
  return patch;
}

function diffField(patch: OpenObject, key: string, old: JsonObject, next: JsonObject, schema: Schema | undefined): void {
  if (equalJson(old, next)) return;
  const rule = mergeRule(schema, key);
  if (rule.strategy === 'replace') {
    setField(patch, key, next);
    return;
  }
  const changes = diffObjects(old, next, rule.schema, rule.retainKeys);
  if (Object.keys(changes).length > 0) setField(patch, key, changes);
}

function diffList(patch: OpenObject, key: string, old: readonly Json[], next: readonly Json[], schema: Schema | undefined): void {
  if (equalJson(old, next)) return;
  const rule = mergeRule(schema, key);
  if (rule.strategy !== 'merge' || old.length === 0) {
    setField(patch, key, next);
  } else if (elementType(old, next) === 'map[string]interface {}') {
    diffMaps(patch, key, old as JsonObject[], next as JsonObject[], itemSchema(rule.schema), rule.mergeKey, rule.retainKeys);
  } else {
    diffScalars(patch, key, old, next);
  }
}

function diffMaps(
  patch: OpenObject,
  key: string,
  old: readonly JsonObject[],
  next: readonly JsonObject[],
  items: Schema | undefined,
  mergeKey: string,
  retainKeys: boolean,
): void {
  const identity = mergeKeyOf(mergeKey);
  const oldAt = positions(old, identity);
  const nextAt = positions(next, identity);
  const changes: JsonObject[] = [];
  for (const element of next) {
    const before = old[oldAt.get(identity(element)) ?? -1];
    if (before === undefined) {
      changes.push(element);
      continue;
    }
    const change = diffObjects(before, element, items, retainKeys);
    if (Object.keys(change).length > 0) changes.push({ ...change, ...onlyKey(element, mergeKey) });
  }
  for (const element of old) {
    if (!nextAt.has(identity(element))) changes.push({ ...onlyKey(element, mergeKey), [directiveKey]: 'delete' });
  }
  if (changes.length > 0) setField(patch, key, changes);
  setField(
    patch,
    `${orderPrefix}/${key}`,
    next.map((element) => onlyKey(element, mergeKey)),
  );
}

function diffScalars(patch: OpenObject, key: string, old: readonly Json[], next: readonly Json[]): void {
  const identity = elementKey('');
  const oldAt = positions(old, identity);
  const nextAt = positions(next, identity);
  const added = next.filter((element) => !oldAt.has(element));
  const removed = old.filter((element) => !nextAt.has(element));
  if (added.length > 0) setField(patch, key, added);
  if (removed.length > 0) setField(patch, `${deletionPrefix}/${key}`, removed);
  setField(patch, `${orderPrefix}/${key}`, next);
}
