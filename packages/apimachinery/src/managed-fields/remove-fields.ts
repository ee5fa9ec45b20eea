import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { OpenObject } from '../patch/json-value.ts';
import { setField } from '../patch/json-value.ts';
import type { ListSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';
import type { FieldSet } from './field-set.ts';
import { childrenOf, emptySet, isMember, nodeOf } from './field-set.ts';
import { elementOf, isGranularList } from './list-elements.ts';
import { fieldSchema, isGranularObject, presentFields } from './struct-plan.ts';

/**
 * The object without the values at these paths; objects and lists that lose their last value go with it. Shares what it keeps.
 * Source: TypedValue.RemoveItems.
 */
export const removeFields = (schema: StructSchema, object: JsonObject, paths: FieldSet): JsonObject =>
  removeFrom(schema, object, paths) ?? {};

function removeFrom(schema: StructSchema | MapSchema, object: JsonObject, paths: FieldSet): JsonObject | undefined {
  let result: OpenObject | undefined;
  for (const name of presentFields(object)) {
    const below = paths[`f:${name}`];
    if (below === undefined) continue;
    const value = object[name] ?? null;
    const rest = isMember(below) ? undefined : removeBelow(fieldSchema(schema, name), value, below);
    if (rest === value) continue;
    result ??= { ...object };
    if (rest === undefined) delete result[name];
    else setField(result, name, rest);
  }
  if (result === undefined) return object;
  return presentFields(result).length === 0 ? undefined : result;
}

function removeBelow(schema: Schema, value: Json, paths: FieldSet): Json | undefined {
  if (isGranularObject(schema) && isJsonObject(value)) return removeFrom(schema, value, paths);
  if (schema.type === 'list' && Array.isArray(value)) return isGranularList(schema) ? removeItems(schema, value, paths) : undefined;
  return value;
}

function removeItems(list: ListSchema, items: readonly Json[], paths: FieldSet): readonly Json[] | undefined {
  const rest: Json[] = [];
  for (const item of items) {
    const element = elementOf(list, item);
    const below = element === undefined ? undefined : paths[element];
    if (below === undefined) rest.push(item);
    else if (!isMember(below)) rest.push(removeBelow(list.items, item, below) ?? {});
  }
  if (rest.length === items.length && rest.every((item, index) => item === items[index])) return items;
  return rest.length === 0 ? undefined : rest;
}

/**
 * The set with every struct field on the way to a path as a path of its own, so that an object goes when all below it goes.
 * Entries of maps and lists are not added. Source: Set.EnsureNamedFieldsAreMembers.
 */
export const withNamedFields = (schema: Schema, set: FieldSet): FieldSet => nodeOf(namedChildren(schema, set), false) ?? emptySet;

function namedChildren(schema: Schema, node: FieldSet): [string, FieldSet][] {
  return childrenOf(node).map(([element, child]): [string, FieldSet] => {
    const isField = schema.type === 'struct' && schema.fields.has(element.slice(2)) && element.startsWith('f:');
    const below = schemaBelow(schema, element);
    const children = below === undefined ? childrenOf(child) : namedChildren(below, child);
    return [element, nodeOf(children, isField || isMember(child)) ?? child];
  });
}

function schemaBelow(schema: Schema, element: string): Schema | undefined {
  if (schema.type === 'struct' || schema.type === 'map')
    return element.startsWith('f:') ? fieldSchema(schema, element.slice(2)) : undefined;
  return schema.type === 'list' ? schema.items : undefined;
}
