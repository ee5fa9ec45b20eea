import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { OpenObject } from '../patch/json-value.ts';
import { equalJson, ownField, setField } from '../patch/json-value.ts';
import type { ListSchema, MapSchema, Schema, StructSchema } from '../schema/schema.ts';
import { indexItems, isGranularList } from './list-elements.ts';
import { fieldSchema, isGranularObject, presentFields } from './struct-plan.ts';

/**
 * Lays a configuration over a stored object: granular objects and lists merge, everything else is taken from the configuration, and
 * its nulls take fields away. Shares what does not change. Source: TypedValue.Merge.
 */
export function mergeTyped(schema: StructSchema | MapSchema, stored: JsonObject, config: JsonObject): JsonObject {
  let result: OpenObject | undefined;
  for (const name of presentFields(config)) {
    const before = ownField(stored, name);
    const after = mergeValue(fieldSchema(schema, name), before, config[name] ?? null);
    if (after === before) continue;
    result ??= { ...stored };
    if (after === undefined) delete result[name];
    else setField(result, name, after);
  }
  return result ?? stored;
}

function mergeValue(schema: Schema, before: Json | undefined, config: Json): Json | undefined {
  if (config === null) return undefined;
  if (isGranularObject(schema) && isJsonObject(config)) return mergeTyped(schema, isJsonObject(before) ? before : {}, config);
  if (schema.type === 'list' && isGranularList(schema) && Array.isArray(config)) {
    return mergeItems(schema, Array.isArray(before) ? before : [], config);
  }
  return before !== undefined && equalJson(before, config) ? before : config;
}

/**
 * The union of two lists by their elements: elements that both have stand in the configuration's order; the stored list's own come
 * before the configuration's new ones, between the same neighbours. An element that the stored list repeats stays so unless the
 * configuration names it.
 */
function mergeItems(list: ListSchema, stored: readonly Json[], config: readonly Json[]): readonly Json[] {
  const before = indexItems(list, stored);
  const applied = indexItems(list, config);
  const result: Json[] = [];
  for (const element of mergedOrder([...before.keys()], [...applied.keys()])) {
    const [item] = applied.get(element) ?? [];
    const known = before.get(element) ?? [];
    if (item === undefined) result.push(...known);
    else result.push(mergeItem(list.items, known.length === 1 ? known[0] : undefined, item));
  }
  return result.length === stored.length && result.every((item, index) => item === stored[index]) ? stored : result;
}

function mergedOrder(stored: readonly string[], config: readonly string[]): string[] {
  const inStored = new Set(stored);
  const inConfig = new Set(config);
  const shared = config.filter((element) => inStored.has(element));
  const order: string[] = [];
  let at = 0;
  let nextShared = 0;
  /** Takes the stored list's own elements up to the next one that both have; those that the configuration puts later are passed by. */
  const takeOwn = (): void => {
    for (; at < stored.length; at++) {
      const element = stored[at] ?? '';
      if (!inConfig.has(element)) order.push(element);
      else if (element === shared[nextShared]) return;
    }
  };
  for (const element of config) {
    takeOwn();
    order.push(element);
    if (element === shared[nextShared]) nextShared++;
    if (element === stored[at]) at++;
  }
  takeOwn();
  return order;
}

function mergeItem(schema: Schema, before: Json | undefined, item: Json): Json {
  return mergeValue(schema, before, item) ?? item;
}
