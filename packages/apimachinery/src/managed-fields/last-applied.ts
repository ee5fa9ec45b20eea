import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { OpenObject } from '../patch/json-value.ts';
import { ownField, setField } from '../patch/json-value.ts';
import type { StructSchema } from '../schema/schema.ts';
import { compareObjects } from './field-changes.ts';
import type { FieldSet } from './field-set.ts';
import { subtractSet } from './field-set.ts';
import { fieldSetOf } from './object-set.ts';
import { configProblems } from './typed-check.ts';

/** Where `kubectl apply` on the client's side keeps the configuration. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The only manager whose applies take over from client-side apply. */
export const kubectlManager = 'kubectl';

const annotationsOf = (object: JsonObject): JsonObject | undefined => {
  const metadata = object['metadata'];
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  return isJsonObject(annotations) ? annotations : undefined;
};

/** The configuration that client-side apply left, as text. */
export function lastAppliedText(object: JsonObject): string | undefined {
  const text = ownField(annotationsOf(object) ?? {}, lastAppliedAnnotation);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/**
 * The fields that client-side apply last set and that still hold its values: an apply by kubectl may take them without force.
 * Undefined where there is no usable annotation. Source: allowedConflictsFromLastApplied.
 */
export function fieldsOfLastApplied(schema: StructSchema, live: JsonObject, apiVersion: string): FieldSet | undefined {
  const config = parsed(lastAppliedText(live));
  if (config === undefined || config['apiVersion'] !== apiVersion || configProblems(schema, config).length > 0) return undefined;
  const { changed, removed } = compareObjects(schema, config, live);
  return subtractSet(subtractSet(fieldSetOf(schema, config), changed), removed);
}

function parsed(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined; // Anyone may write annotations: text that is no JSON allows nothing.
  }
}

/** The object with its annotation telling of `config`, so that client-side apply can take over again; itself where it has none. */
export function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const annotations = annotationsOf(object);
  const metadata = object['metadata'];
  if (annotations === undefined || !isJsonObject(metadata) || lastAppliedText(object) === undefined) return object;
  const text = `${JSON.stringify(sortedJson(withoutLastApplied(config)))}\n`;
  if (annotations[lastAppliedAnnotation] === text) return object;
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, [lastAppliedAnnotation]: text } } };
}

function withoutLastApplied(config: JsonObject): JsonObject {
  const metadata = config['metadata'];
  const annotations = annotationsOf(config);
  if (annotations === undefined || !isJsonObject(metadata) || !Object.hasOwn(annotations, lastAppliedAnnotation)) return config;
  const rest = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== lastAppliedAnnotation));
  return { ...config, metadata: { ...metadata, annotations: rest } };
}

/** Keys in order, as Go writes maps. */
function sortedJson(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => sortedJson(item as Json));
  if (!isJsonObject(value)) return value;
  const result: OpenObject = {};
  for (const key of Object.keys(value).sort()) setField(result, key, sortedJson(value[key] ?? null));
  return result;
}
