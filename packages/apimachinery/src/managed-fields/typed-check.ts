import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { ListSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';
import { elementOf, elementProblem, isGranularList, printPath } from './list-elements.ts';
import { fieldSchema, presentFields } from './struct-plan.ts';

/**
 * Why a configuration does not fit its schema: unknown fields, wrong types, repeated or missing keys of lists. Empty where it
 * fits. Source: TypedValue validation; texts as `.spec.replicas: expected numeric (int or float), got string`.
 */
export function configProblems(schema: StructSchema, config: JsonObject): string[] {
  const problems: string[] = [];
  checkObject(schema, config, [], problems);
  return problems;
}

type Path = readonly string[];

function checkObject(schema: StructSchema | MapSchema, object: JsonObject, path: Path, problems: string[]): void {
  for (const name of presentFields(object)) {
    const at = [...path, `f:${name}`];
    const known = schema.type === 'map' || schema.fields.has(name);
    if (known) checkValue(fieldSchema(schema, name), object[name] ?? null, at, problems);
    else problems.push(`${printPath(at)}: field not declared in schema`);
  }
}

function checkValue(schema: Schema, value: Json, path: Path, problems: string[]): void {
  if (value === null) return;
  switch (schema.type) {
    case 'struct':
    case 'map':
      if (isJsonObject(value)) checkObject(schema, value, path, problems);
      else problems.push(`${printPath(path)}: expected map, got ${shown(value)}`);
      return;
    case 'list':
      if (Array.isArray(value)) checkItems(schema, value, path, problems);
      else problems.push(`${printPath(path)}: expected list, got ${shown(value)}`);
      return;
    default:
      checkScalar(schema.type, value, path, problems);
  }
}

const expectations: Readonly<Record<string, readonly [string, string]>> = {
  string: ['string', 'string'],
  bytes: ['string', 'string'],
  time: ['string', 'string'],
  microTime: ['string', 'string'],
  boolean: ['boolean', 'boolean'],
  int32: ['number', 'numeric (int or float)'],
  int64: ['number', 'numeric (int or float)'],
  double: ['number', 'numeric (int or float)'],
};

function checkScalar(type: string, value: Json, path: Path, problems: string[]): void {
  const expected = expectations[type];
  if (expected === undefined) {
    const scalar = type === 'any' || typeof value === 'string' || typeof value === 'number';
    if (!scalar) problems.push(`${printPath(path)}: expected scalar, got ${shown(value)}`);
  } else if (typeof value !== expected[0]) {
    problems.push(`${printPath(path)}: expected ${expected[1]}, got ${shown(value)}`);
  }
}

function checkItems(list: ListSchema, items: readonly Json[], path: Path, problems: string[]): void {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const element = isGranularList(list) ? elementOf(list, item) : `i:${index}`;
    if (element === undefined) {
      problems.push(`${printPath(path)}: element ${index}: ${elementProblem(list, item)}`);
      continue;
    }
    if (seen.has(element)) problems.push(`${printPath(path)}: duplicate entries for key ${printPath([element])}`);
    seen.add(element);
    checkValue(list.items, item, [...path, element], problems);
  }
}

function shown(value: Json): string {
  if (Array.isArray(value)) return 'list';
  return isJsonObject(value) ? 'map' : JSON.stringify(value);
}
