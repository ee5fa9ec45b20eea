import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { goFormat, ownField } from './json-value.ts';
import { failedPatch } from './patch-error.ts';
import { directiveKey, orderPrefix } from './strategic-schema.ts';

/** Finds an element among others: by its merge key where it is an object, by itself otherwise. */
export type ElementKey = (element: Json) => unknown;

/** The merge key's value. @throws StatusError where the element has none. */
export function mergeKeyOf(mergeKey: string): ElementKey {
  return (element) => {
    const value = isJsonObject(element) ? ownField(element, mergeKey) : undefined;
    if (value === undefined) throw missingMergeKey(element, mergeKey);
    return value;
  };
}

export const missingMergeKey = (element: Json, mergeKey: string): Error =>
  isJsonObject(element)
    ? failedPatch(`map: ${goFormat(element)} does not contain declared merge key: ${mergeKey}`)
    : failedPatch(`expected a map[string]interface {}, but received a ${goTypeOf(element)}`);

/** The key of a list's elements. */
export const elementKey = (mergeKey: string): ElementKey => (mergeKey === '' ? (element) => element : mergeKeyOf(mergeKey));

/** Go's name for the type of decoded JSON. */
export function goTypeOf(value: Json | undefined): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (value === null || value === undefined) return '%!s(<nil>)';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}

/** First position of each key. */
export function positions(list: readonly Json[], key: ElementKey): Map<unknown, number> {
  const found = new Map<unknown, number>();
  for (const [index, element] of list.entries()) {
    const value = key(element);
    if (!found.has(value)) found.set(value, index);
  }
  return found;
}

/**
 * Puts merged elements in order: those named by `wanted` in its order, the server's own in the order of `original`, and the two
 * woven together as `original` had them. Source: normalizeElementOrder.
 */
export function orderElements(merged: readonly Json[], wanted: readonly Json[], original: readonly Json[], key: ElementKey): Json[] {
  const wantedAt = positions(wanted, key);
  const originalAt = positions(original, key);
  const place = (at: ReadonlyMap<unknown, number>, element: Json): number => at.get(key(element)) ?? -1;
  const patched = merged.filter((element) => wantedAt.has(key(element)));
  const server = merged.filter((element) => !wantedAt.has(key(element)));
  patched.sort((a, b) => place(wantedAt, a) - place(wantedAt, b));
  server.sort((a, b) => place(originalAt, a) - place(originalAt, b));
  const woven: Json[] = [];
  let next = 0;
  for (const element of server) {
    while (next < patched.length && !comesFirst(place(originalAt, element), place(originalAt, patched[next] ?? null))) {
      woven.push(patched[next++] ?? null);
    }
    woven.push(element);
  }
  return [...woven, ...patched.slice(next)];
}

const comesFirst = (left: number, right: number): boolean => left >= 0 && right >= 0 && left < right;

/** A patch list must name its elements in the order that `$setElementOrder` gives, and no others. Source: validatePatchWithSetOrderList. */
export function checkOrder(patch: readonly Json[], order: readonly Json[], mergeKey: string): void {
  if (patch.length === 0 || order.length === 0) return;
  const key = elementKey(mergeKey);
  const kept = patch.filter((element) => !(isJsonObject(element) && Object.hasOwn(element, directiveKey)));
  let at = 0;
  for (const element of order) {
    const current = kept[at];
    if (current === undefined) return;
    if (key(current) === key(element)) at++;
  }
  if (at < kept.length) {
    throw failedPatch(`The order in patch list:\n${goFormat(patch)}\n doesn't match ${orderPrefix} list:\n${goFormat(order)}\n`);
  }
}

/** The object of a list that carries nothing but its merge key. */
export const onlyKey = (element: Json, mergeKey: string): JsonObject => ({ [mergeKey]: mergeKeyOf(mergeKey)(element) as Json });
