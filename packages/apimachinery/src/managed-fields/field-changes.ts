import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { equalJson, ownField } from '../patch/json-value.ts';
import type { ListSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, isMember, leaf, nodeOf, sorted } from './field-set.ts';
import { indexItems, isGranularList } from './list-elements.ts';
import { addedNode } from './object-set.ts';
import { fieldSchema, isGranularObject, presentFields } from './struct-plan.ts';

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

/** Collects the children of one node. */
class Differences {
  readonly #changed: [string, FieldSet][] = [];
  readonly #removed: [string, FieldSet][] = [];

  add(element: string, delta: Delta | undefined): void {
    if (delta?.changed !== undefined) this.#changed.push([element, delta.changed]);
    if (delta?.removed !== undefined) this.#removed.push([element, delta.removed]);
  }

  delta(): Delta | undefined {
    if (this.#changed.length === 0 && this.#removed.length === 0) return undefined;
    return { changed: nodeOf(sorted(this.#changed), false), removed: nodeOf(sorted(this.#removed), false) };
  }
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
  const differences = new Differences();
  for (const name of presentFields(after)) {
    const value = after[name] ?? null;
    const old = ownField(before, name);
    if (value === old) continue;
    const element = `f:${name}`;
    const ignored = ignore?.[element];
    if (ignored !== undefined && isMember(ignored)) continue;
    const child = fieldSchema(schema, name);
    differences.add(
      element,
      old === undefined ? { changed: addedNode(child, value), removed: undefined } : compareValues(child, old, value, ignored),
    );
  }
  for (const name of presentFields(before)) {
    if (ownField(after, name) !== undefined) continue;
    const element = `f:${name}`;
    const ignored = ignore?.[element];
    if (ignored !== undefined && isMember(ignored)) continue;
    differences.add(element, { changed: undefined, removed: addedNode(fieldSchema(schema, name), before[name] ?? null) });
  }
  return differences.delta();
}

function compareValues(schema: Schema, before: Json, after: Json, ignore: FieldSet | undefined): Delta | undefined {
  if (isGranularObject(schema) && isJsonObject(before) && isJsonObject(after)) return compareFields(schema, before, after, ignore);
  if (schema.type === 'list' && isGranularList(schema) && Array.isArray(before) && Array.isArray(after)) {
    return compareItems(schema, before, after);
  }
  return equalJson(before, after) ? undefined : otherValue;
}

function compareItems(list: ListSchema, before: readonly Json[], after: readonly Json[]): Delta | undefined {
  const differences = new Differences();
  const old = indexItems(list, before);
  for (const [element, items] of indexItems(list, after)) {
    const known = old.get(element) ?? [];
    old.delete(element);
    differences.add(element, compareElement(list.items, known, items));
  }
  for (const [element, items] of old) differences.add(element, { changed: undefined, removed: elementNode(list.items, items) });
  return differences.delta();
}

/** An element that repeats on either side is one value. */
function compareElement(schema: Schema, before: readonly Json[], after: readonly Json[]): Delta | undefined {
  const [old] = before;
  const [value] = after;
  if (old === undefined || value === undefined) return { changed: elementNode(schema, after), removed: undefined };
  if (before.length === 1 && after.length === 1) return compareValues(schema, old, value, undefined);
  return equalJson(before, after) ? undefined : otherValue;
}

const elementNode = (schema: Schema, [first = null, ...repeated]: readonly Json[]): FieldSet =>
  repeated.length > 0 ? leaf : addedNode(schema, first);
