import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { ownField } from '../patch/json-value.ts';
import type { ListSchema } from '../schema/schema.ts';

/** How the elements of a `map` list are told apart. */
interface KeyPlan {
  /** Sorted, as path elements write them. */
  readonly keys: readonly { readonly name: string; readonly label: string; readonly default: Json | undefined }[];
}

const plans = new WeakMap<ListSchema, KeyPlan>();

function planOf(list: ListSchema): KeyPlan {
  const known = plans.get(list);
  if (known !== undefined) return known;
  const fields = list.items.type === 'struct' ? list.items.fields : undefined;
  const keys = [...list.mapKeys].sort().map((name) => ({ name, label: `${JSON.stringify(name)}:`, default: fields?.get(name)?.default }));
  const plan = { keys };
  plans.set(list, plan);
  return plan;
}

/** A list that apply looks into. */
export const isGranularList = ({ listType }: ListSchema): boolean => listType !== 'atomic';

/** The path element of an item of a `map` or `set` list; undefined where it has none, see {@link elementProblem}. */
export function elementOf(list: ListSchema, item: Json): string | undefined {
  return list.listType === 'set' ? valueElement(item) : keyElement(planOf(list), item);
}

function valueElement(item: Json): string | undefined {
  return typeof item === 'object' ? undefined : `v:${JSON.stringify(item)}`;
}

/** Keys that are absent take their default; without one they are left out, as long as another is there. */
function keyElement({ keys }: KeyPlan, item: Json): string | undefined {
  if (!isJsonObject(item)) return undefined;
  let text = '';
  for (const key of keys) {
    const value = ownField(item, key.name) ?? key.default;
    if (value === undefined) continue;
    text += `${text === '' ? '' : ','}${key.label}${typeof value === 'number' ? String(value) : JSON.stringify(value)}`;
  }
  return text === '' ? undefined : `k:{${text}}`;
}

/** Why an item has no path element. Source: listItemToPathElement. */
export function elementProblem(list: ListSchema, item: Json): string {
  if (list.listType === 'set') {
    if (item === null) return "associative list without keys has an element that's an explicit null";
    return Array.isArray(item)
      ? 'not supported: associative list with lists as elements'
      : "associative list without keys has an element that's a map type";
  }
  if (item === null) return 'associative list with keys may not have a null element';
  if (!isJsonObject(item)) return 'associative list with keys may not have non-map elements';
  const names = list.mapKeys.map((name) => JSON.stringify(name)).join(' ');
  return `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`;
}

/** Items by their path element, in order; a repeated element holds all its items. Items without an element are left out. */
export function indexItems(list: ListSchema, items: readonly Json[]): Map<string, Json[]> {
  const index = new Map<string, Json[]>();
  for (const item of items) {
    const element = elementOf(list, item);
    if (element === undefined) continue;
    const known = index.get(element);
    if (known === undefined) index.set(element, [item]);
    else known.push(item);
  }
  return index;
}

/** A path as messages show it: `.spec.containers[name="web"].image`. */
export const printPath = (path: readonly string[]): string => path.map(printElement).join('');

function printElement(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  if (element.startsWith('i:')) return `[${rest}]`;
  const keys = JSON.parse(rest) as JsonObject;
  return `[${Object.keys(keys)
    .map((name) => `${name}=${JSON.stringify(keys[name])}`)
    .join(',')}]`;
}
