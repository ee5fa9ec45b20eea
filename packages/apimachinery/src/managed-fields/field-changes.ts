import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { equalJson, ownField } from '../patch/json-value.ts';
import type { ListSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, isMember, leaf, nodeOf, sorted } from './field-set.ts';
import { indexItems, isGranularList } from './list-elements.ts';
import { addedNode } from './object-set.ts';
import { isGranularObject, plannedField } from './struct-plan.ts';

/** What a write did. */
export interface FieldChanges {
  /** Paths that were added or hold another value. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

const unchanged: FieldChanges = { changed: emptySet, removed: emptySet };

/** The differences below one path. Nodes are undefined where there are none. */
interface Delta {
  readonly changed: FieldSet | undefined;
  readonly removed: FieldSet | undefined;
}

const otherValue: Delta = { changed: leaf, removed: undefined };

/** Children of one node, collected. */
interface Differences {
  readonly changed: [string, FieldSet][];
  readonly removed: [string, FieldSet][];
}

function add(differences: Differences, element: string, delta: Delta | undefined): void {
  if (delta?.changed !== undefined) differences.changed.push([element, delta.changed]);
  if (delta?.removed !== undefined) differences.removed.push([element, delta.removed]);
}

function deltaOf({ changed, removed }: Differences): Delta | undefined {
  if (changed.length === 0 && removed.length === 0) return undefined;
  return { changed: nodeOf(sorted(changed), false), removed: nodeOf(sorted(removed), false) };
}

/**
 * Compares two objects of one type. Values shared by both cost nothing. Paths of `ignore`, and all below them, count as equal.
 * Source: TypedValue.Compare.
 */
export function compareObjects(schema: StructSchema, before: JsonObject, after: JsonObject, ignore: FieldSet = emptySet): FieldChanges {
  const delta = compareFields(schema, before, after, ignore);
  return delta === undefined ? unchanged : { changed: delta.changed ?? emptySet, removed: delta.removed ?? emptySet };
}

function compareFields(
  schema: StructSchema | MapSchema,
  before: JsonObject,
  after: JsonObject,
  ignore: FieldSet | undefined,
): Delta | undefined {
  if (before === after) return undefined;
  const differences: Differences = { changed: [], removed: [] };
  let known = 0;
  for (const name of Object.keys(after)) {
    const value = after[name];
    if (value === undefined) continue;
    const old = ownField(before, name);
    if (old !== undefined) known++;
    if (value === old) continue;
    const { element, schema: child } = plannedField(schema, name);
    const ignored = ignore?.[element];
    if (ignored !== undefined && isMember(ignored)) continue;
    add(
      differences,
      element,
      old === undefined ? { changed: addedNode(child, value), removed: undefined } : compareValues(child, old, value, ignored),
    );
  }
  const names = Object.keys(before);
  if (names.length > known) compareRemoved(schema, before, names, after, ignore, differences);
  return deltaOf(differences);
}

function compareRemoved(
  schema: StructSchema | MapSchema,
  before: JsonObject,
  names: readonly string[],
  after: JsonObject,
  ignore: FieldSet | undefined,
  differences: Differences,
): void {
  for (const name of names) {
    const old = before[name];
    if (old === undefined || ownField(after, name) !== undefined) continue;
    const { element, schema: child } = plannedField(schema, name);
    const ignored = ignore?.[element];
    if (ignored === undefined || !isMember(ignored)) differences.removed.push([element, addedNode(child, old)]);
  }
}

function compareValues(schema: Schema, before: Json, after: Json, ignore: FieldSet | undefined): Delta | undefined {
  if (isGranularObject(schema) && isJsonObject(before) && isJsonObject(after)) return compareFields(schema, before, after, ignore);
  if (schema.type === 'list' && isGranularList(schema) && Array.isArray(before) && Array.isArray(after)) {
    return compareItems(schema, before, after);
  }
  return equalJson(before, after) ? undefined : otherValue;
}

function compareItems(list: ListSchema, before: readonly Json[], after: readonly Json[]): Delta | undefined {
  const differences: Differences = { changed: [], removed: [] };
  const old = indexItems(list, before);
  for (const [element, items] of indexItems(list, after)) {
    const known = old.get(element) ?? [];
    old.delete(element);
    add(differences, element, compareElement(list.items, known, items));
  }
  for (const [element, items] of old) differences.removed.push([element, elementNode(list.items, items)]);
  return deltaOf(differences);
}

/** An element that repeats on either side is one value. */
function compareElement(schema: Schema, before: readonly Json[], after: readonly Json[]): Delta | undefined {
  const [old] = before;
  const [value] = after;
  if (old === undefined || value === undefined) return { changed: elementNode(schema, after), removed: undefined };
  if (before.length === 1 && after.length === 1) return old === value ? undefined : compareValues(schema, old, value, undefined);
  return equalJson(before, after) ? undefined : otherValue;
}

const elementNode = (schema: Schema, [first = null, ...repeated]: readonly Json[]): FieldSet =>
  repeated.length > 0 ? leaf : addedNode(schema, first);
