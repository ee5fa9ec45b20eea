import type { Json, JsonObject } from '../json.ts';
import type { FieldSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';

/** A field as sets know it. */
export interface PlannedField {
  readonly name: string;
  /** `f:` and the name. */
  readonly element: string;
  /** Place in canonical order. */
  readonly order: number;
  readonly schema: Schema;
  /** Go writes it even when empty. */
  readonly alwaysPresent: boolean;
}

type StructPlan = ReadonlyMap<string, PlannedField>;
const plans = new WeakMap<ReadonlyMap<string, FieldSchema>, StructPlan>();

/** A struct's fields by name, prepared once a type. */
function planOf(struct: StructSchema): StructPlan {
  const known = plans.get(struct.fields);
  if (known !== undefined) return known;
  const fields = [...struct.fields.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const plan = new Map(fields.map((field, order): [string, PlannedField] => [field.name, planned(field, order)]));
  plans.set(struct.fields, plan);
  return plan;
}

/** Keeps the lazy link of the schema: types are recursive. */
function planned(field: FieldSchema, order: number): PlannedField {
  let schema: Schema | undefined;
  return {
    name: field.name,
    element: `f:${field.name}`,
    order,
    alwaysPresent: field.alwaysPresent,
    get schema() {
      schema ??= field.schema;
      return schema;
    },
  };
}

const unknownSchema: Schema = { type: 'any' };

/** A field that the schema does not know: one value, after those that it knows. */
const unknownField = (name: string, schema: Schema): PlannedField => ({
  name,
  element: `f:${name}`,
  order: Number.POSITIVE_INFINITY,
  schema,
  alwaysPresent: false,
});

/** How the fields of an object are known, whatever their number. */
export function plannedField(schema: StructSchema | MapSchema, name: string): PlannedField {
  if (schema.type === 'map') return unknownField(name, schema.values);
  return planOf(schema).get(name) ?? unknownField(name, unknownSchema);
}

/** The fields of an object that have a value, null among them, in canonical order. */
export function fieldsInOrder(schema: StructSchema | MapSchema, object: JsonObject): PlannedField[] {
  if (schema.type === 'map') {
    return presentFields(object)
      .sort()
      .map((name) => unknownField(name, schema.values));
  }
  const plan = planOf(schema);
  const fields: PlannedField[] = [];
  let last = -1;
  let sorted = true;
  for (const name of Object.keys(object)) {
    if (object[name] === undefined) continue;
    const field = plan.get(name) ?? unknownField(name, unknownSchema);
    if (field.order <= last) sorted = false;
    last = field.order;
    fields.push(field);
  }
  if (sorted && last !== Number.POSITIVE_INFINITY) return fields;
  return fields.sort((a, b) => (a.order === b.order ? (a.element < b.element ? -1 : 1) : a.order - b.order));
}

/** An object or map that apply looks into. */
export const isGranularObject = (schema: Schema): schema is StructSchema | MapSchema =>
  (schema.type === 'struct' || schema.type === 'map') && !schema.atomic;

/** The schema of an object's field; a field that the schema does not know is one value. */
export function fieldSchema(schema: StructSchema | MapSchema, name: string): Schema {
  return schema.type === 'map' ? schema.values : (schema.fields.get(name)?.schema ?? unknownSchema);
}

/** Names of the fields that have a value, null among them. */
export const presentFields = (object: JsonObject): string[] => Object.keys(object).filter((name) => object[name] !== undefined);

/** Whether an object has a field with a value. */
export function hasFields(object: JsonObject): boolean {
  for (const name in object) if (object[name] !== undefined) return true;
  return false;
}

/** The value of a field that is known to be present. */
export const presentValue = (object: JsonObject, { name }: PlannedField): Json => object[name] ?? null;
