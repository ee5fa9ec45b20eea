import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { ListSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, isMember, leaf, nodeOf, sorted } from './field-set.ts';
import { indexItems, isGranularList } from './list-elements.ts';
import { fieldsInOrder, hasFields, isGranularObject, presentValue } from './struct-plan.ts';

type Children = [string, FieldSet][];

/** The paths that an object states: what its applier owns. Source: TypedValue.ToFieldSet. */
export const fieldSetOf = (schema: StructSchema, object: JsonObject): FieldSet => nodeOf(stated(schema, object), false) ?? emptySet;

/** Children of a granular object: values of maps are members, fields of structs only where nothing is below them. */
function stated(schema: StructSchema | MapSchema, object: JsonObject): Children {
  const children: Children = [];
  for (const field of fieldsInOrder(schema, object)) {
    const value = presentValue(object, field);
    const member = schema.type === 'map' || value === null || (isJsonObject(value) && !hasFields(value));
    const node = statedNode(field.schema, value, member);
    if (node !== undefined) children.push([field.element, node]);
  }
  return children;
}

function statedNode(schema: Schema, value: Json, member: boolean): FieldSet | undefined {
  if (isGranularObject(schema)) return isJsonObject(value) ? nodeOf(stated(schema, value), member) : member ? leaf : undefined;
  if (schema.type === 'list' && isGranularList(schema)) {
    if (!Array.isArray(value)) return member ? leaf : undefined;
    return nodeOf(statedItems(schema, value), member);
  }
  return leaf;
}

/** Every element is a member; below one that repeats nothing is stated. */
function statedItems(list: ListSchema, items: readonly Json[]): Children {
  const children: Children = [];
  for (const [element, [first = null, ...repeated]] of indexItems(list, items)) {
    children.push([element, repeated.length > 0 ? leaf : (statedNode(list.items, first, true) ?? leaf)]);
  }
  return sorted(children);
}

/** The paths that come to be when `value` appears where nothing was: the value itself and all below it. */
export function addedNode(schema: Schema, value: Json): FieldSet {
  if (typeof value !== 'object' || value === null) return leaf;
  if (isGranularObject(schema) && isJsonObject(value)) {
    const fields = fieldsInOrder(schema, value);
    if (fields.length === 0) return leaf;
    const node: Record<string, FieldSet> = { '.': leaf };
    for (const field of fields) node[field.element] = addedNode(field.schema, presentValue(value, field));
    return node;
  }
  if (schema.type === 'list' && isGranularList(schema) && Array.isArray(value)) return nodeOf(addedItems(schema, value), true) ?? leaf;
  return leaf;
}

function addedItems(list: ListSchema, items: readonly Json[]): Children {
  const children: Children = [];
  for (const [element, found] of indexItems(list, items)) {
    children.push([element, found.length > 1 ? leaf : addedNode(list.items, found[0] ?? null)]);
  }
  return sorted(children);
}

/**
 * The paths that a new object adds to the empty object of its type, as Go serialises that: fields that are always present were
 * there before, empty, so they are no members themselves and their zero values are nobody's. Paths of `ignore` are left out.
 */
export const createdSet = (schema: StructSchema, object: JsonObject, ignore: FieldSet = emptySet): FieldSet =>
  nodeOf(createdFields(schema, object, ignore), false) ?? emptySet;

function createdFields(schema: StructSchema | MapSchema, object: JsonObject, ignore: FieldSet | undefined): Children {
  const children: Children = [];
  for (const field of fieldsInOrder(schema, object)) {
    const ignored = ignore?.[field.element];
    if (ignored !== undefined && isMember(ignored)) continue;
    const value = presentValue(object, field);
    const node = field.alwaysPresent ? createdNode(field.schema, value, ignored) : addedNode(field.schema, value);
    if (node !== undefined) children.push([field.element, node]);
  }
  return children;
}

function createdNode(schema: Schema, value: Json, ignore: FieldSet | undefined): FieldSet | undefined {
  if (isGranularObject(schema) && isJsonObject(value)) {
    return nodeOf(createdFields(schema, value, ignore), false) ?? (schema.type === 'map' ? leaf : undefined);
  }
  if (schema.type === 'list' && isGranularList(schema) && Array.isArray(value)) return nodeOf(addedItems(schema, value), false) ?? leaf;
  return isZero(value) ? undefined : leaf;
}

/** What Go writes for a field that nobody set. */
const isZero = (value: Json): boolean =>
  value === null || value === '' || value === 0 || value === false || (isJsonObject(value) && !hasFields(value));
