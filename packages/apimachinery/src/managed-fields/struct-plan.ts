import type { JsonObject } from '../json.ts';
import type { FieldSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';

/** A field of a struct with its path element. */
export interface PlannedField {
  readonly name: string;
  readonly element: string;
  readonly field: FieldSchema;
}

const plans = new WeakMap<ReadonlyMap<string, FieldSchema>, readonly PlannedField[]>();

/** A struct's fields in canonical order, made once a type. */
export function plannedFields(struct: StructSchema): readonly PlannedField[] {
  const known = plans.get(struct.fields);
  if (known !== undefined) return known;
  const fields = [...struct.fields.values()].map((field) => ({ name: field.name, element: `f:${field.name}`, field }));
  fields.sort((a, b) => (a.element < b.element ? -1 : 1));
  plans.set(struct.fields, fields);
  return fields;
}

/** An object or map that apply looks into. */
export const isGranularObject = (schema: Schema): schema is StructSchema | MapSchema =>
  (schema.type === 'struct' || schema.type === 'map') && !schema.atomic;

const unknownField: Schema = { type: 'any' };

/** The schema of an object's field; a field that the schema does not know is one value. */
export function fieldSchema(schema: StructSchema | MapSchema, name: string): Schema {
  return schema.type === 'map' ? schema.values : (schema.fields.get(name)?.schema ?? unknownField);
}

/** Names of the fields that have a value, null among them. */
export const presentFields = (object: JsonObject): string[] => Object.keys(object).filter((name) => object[name] !== undefined);
