import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { ownField } from '../patch/json-value.ts';
import type { ListSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, leaf, nodeOf, sorted } from './field-set.ts';
import { indexItems, isGranularList } from './list-elements.ts';
import { fieldSchema, isGranularObject, plannedFields, presentFields } from './struct-plan.ts';

type Children = [string, FieldSet][];

/** The paths that an object states: what its applier owns. Source: TypedValue.ToFieldSet. */
export const fieldSetOf = (schema: StructSchema, object: JsonObject): FieldSet => nodeOf(stated(schema, object), false) ?? emptySet;

/** Children of a granular object: values of maps are members, fields of structs only where nothing is below them. */
function stated(schema: StructSchema | MapSchema, object: JsonObject): Children {
  const children: Children = [];
  eachField(schema, object, (element, value, child) => {
    const member = schema.type === 'map' || value === null || (isJsonObject(value) && presentFields(value).length === 0);
    const node = statedNode(child, value, member);
    if (node !== undefined) children.push([element, node]);
  });
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

/** Calls back for each field that has a value, in canonical order. */
export function eachField(
  schema: StructSchema | MapSchema,
  object: JsonObject,
  visit: (element: string, value: Json, schema: Schema) => void,
): void {
  if (schema.type === 'struct') {
    let seen = 0;
    for (const { name, element, field } of plannedFields(schema)) {
      const value = ownField(object, name);
      if (value === undefined) continue;
      seen++;
      visit(element, value, field.schema);
    }
    const names = presentFields(object);
    if (names.length === seen) return;
    for (const name of names.filter((known) => !schema.fields.has(known)).sort())
      visit(`f:${name}`, object[name] ?? null, fieldSchema(schema, name));
    return;
  }
  for (const name of presentFields(object).sort()) visit(`f:${name}`, object[name] ?? null, schema.values);
}

/** The paths that come to be when `value` appears where nothing was: the value itself and all below it. */
export function addedNode(schema: Schema, value: Json): FieldSet {
  if (isGranularObject(schema) && isJsonObject(value)) {
    const children: Children = [];
    eachField(schema, value, (element, child, childSchema) => children.push([element, addedNode(childSchema, child)]));
    return nodeOf(children, true) ?? leaf;
  }
  if (schema.type === 'list' && isGranularList(schema) && Array.isArray(value)) return nodeOf(addedItems(schema, value), true) ?? leaf;
  return leaf;
}

export function addedItems(list: ListSchema, items: readonly Json[]): Children {
  const children: Children = [];
  for (const [element, [first = null, ...repeated]] of indexItems(list, items)) {
    children.push([element, repeated.length > 0 ? leaf : addedNode(list.items, first)]);
  }
  return sorted(children);
}

/**
 * The paths that a new object adds to the empty object of its type, as Go serialises that: fields that are always present were
 * there before, empty, so they are no members themselves and their zero values are nobody's.
 */
export function createdSet(schema: StructSchema, object: JsonObject): FieldSet {
  return nodeOf(createdFields(schema, object), false) ?? emptySet;
}

function createdFields(schema: StructSchema, object: JsonObject): Children {
  const children: Children = [];
  eachField(schema, object, (element, value, child) => {
    const wasThere = schema.fields.get(element.slice(2))?.alwaysPresent === true;
    const node = wasThere ? createdNode(child, value) : addedNode(child, value);
    if (node !== undefined) children.push([element, node]);
  });
  return children;
}

function createdNode(schema: Schema, value: Json): FieldSet | undefined {
  if (isGranularObject(schema) && isJsonObject(value)) {
    if (schema.type === 'struct') return nodeOf(createdFields(schema, value), false);
    const children: Children = [];
    eachField(schema, value, (element, child, childSchema) => children.push([element, addedNode(childSchema, child)]));
    return nodeOf(children, false) ?? leaf;
  }
  if (schema.type === 'list' && isGranularList(schema) && Array.isArray(value)) return nodeOf(addedItems(schema, value), false) ?? leaf;
  return isZero(value) ? undefined : leaf;
}

/** What Go writes for a field that nobody set. */
const isZero = (value: Json): boolean =>
  value === null || value === '' || value === 0 || value === false || (isJsonObject(value) && presentFields(value).length === 0);
