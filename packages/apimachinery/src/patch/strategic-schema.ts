import type { Json } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import type { OpenObject } from './json-value.ts';
import { setField } from './json-value.ts';
import { failedPatch } from './patch-error.ts';

export const directiveKey = '$patch';
export const retainKeysKey = '$retainKeys';
export const deletionPrefix = '$deleteFromPrimitiveList';
export const orderPrefix = '$setElementOrder';

/** How a field takes part in strategic merge. */
export interface MergeRule {
  /** Of the field's value; undefined where nothing is known of it, and objects below merge as plain JSON. */
  readonly schema: Schema | undefined;
  readonly strategy: 'merge' | 'replace' | '';
  readonly retainKeys: boolean;
  readonly mergeKey: string;
}

const unknownRule: MergeRule = { schema: undefined, strategy: '', retainKeys: false, mergeKey: '' };

/** The rule for the field `key` of a value. @throws StatusError where a struct has no such field. */
export function mergeRule(schema: Schema | undefined, key: string): MergeRule {
  if (schema?.type === 'map') return { ...unknownRule, schema: schema.values };
  if (schema?.type !== 'struct') return unknownRule;
  const field = schema.fields.get(key);
  if (field === undefined) {
    const struct = schema.name.slice(schema.name.lastIndexOf('.') + 1);
    throw failedPatch(`unable to find api field in struct ${struct} for the json field ${JSON.stringify(key)}`);
  }
  const strategies = (field.patchStrategy ?? '').split(',').map((part) => part.trim());
  const strategy = strategies.find((part) => part === 'merge' || part === 'replace');
  return {
    schema: field.schema,
    strategy: strategy === 'merge' || strategy === 'replace' ? strategy : '',
    retainKeys: strategies.includes('retainKeys'),
    mergeKey: field.mergeKey ?? '',
  };
}

/** The schema of a list's items. */
export const itemSchema = (schema: Schema | undefined): Schema | undefined => (schema?.type === 'list' ? schema.items : undefined);

/** A part of a patch as it stands in a document: no directives, no nulls. */
export function withoutDirectives(value: Json): Json {
  if (Array.isArray(value)) return value.filter((item) => !isDirective(item as Json)).map((item) => withoutDirectives(item as Json));
  if (!isJsonObject(value)) return value;
  const result: OpenObject = {};
  for (const key of Object.keys(value)) {
    const child = value[key];
    const directive = key === directiveKey || key === retainKeysKey || key.startsWith(deletionPrefix) || key.startsWith(orderPrefix);
    if (!directive && child !== null && child !== undefined) setField(result, key, withoutDirectives(child));
  }
  return result;
}

/** An element that only says what to do with the list or with another element. */
const isDirective = (element: Json): boolean => isJsonObject(element) && Object.hasOwn(element, directiveKey);
