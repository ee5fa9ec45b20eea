import { StatusError } from '../errors/status-error.ts';
import type { Json, JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { elementKey, goTypeOf, mergeKeyOf, missingMergeKey, orderElements } from './element-order.ts';
import { goFormat, ownField } from './json-value.ts';
import { failedPatch } from './patch-error.ts';
import { directiveKey, withoutDirectives } from './strategic-schema.ts';

/** Merges a change into an element with the same merge key. */
export type ElementMerger = (before: JsonObject, change: JsonObject) => JsonObject;

/** Merges a patch's list into a list whose strategy is `merge`: scalars as a set, objects by their merge key. Source: mergeSlice. */
export function mergeLists(original: readonly Json[], patch: readonly Json[], mergeKey: string, merge: ElementMerger): readonly Json[] {
  if (original.length === 0 && patch.length === 0) return original;
  if (elementType(original, patch) !== 'map[string]interface {}') {
    const merged = [...new Set([...original, ...patch])];
    return unchanged(orderElements(merged, patch, original, elementKey('')), original);
  }
  if (mergeKey === '') throw failedPatch('cannot merge lists without merge key for type struct');
  const { base, changes, replace } = applyDirectives(original as JsonObject[], patch as JsonObject[], mergeKey);
  if (replace) return base;
  const merged = mergeElements(base, changes, mergeKey, merge);
  return unchanged(orderElements(merged, changes, base, elementKey(mergeKey)), original);
}

const unchanged = (list: Json[], original: readonly Json[]): readonly Json[] =>
  list.length === original.length && list.every((element, index) => element === original[index]) ? original : list;

/** The one Go type of all elements. @throws StatusError where they differ or are lists. Source: sliceElementType. */
export function elementType(...lists: readonly (readonly Json[])[]): string {
  let type: string | undefined;
  for (const element of lists.flat(1) as Json[]) {
    const current = goTypeOf(element);
    if (Array.isArray(element)) throw new StatusError('Invalid', 'the server rejected our request due to an error in our request', {});
    if (type !== undefined && type !== current) throw failedPatch(`list element types are not identical: ${type} ${current}`);
    type = current;
  }
  return type ?? '';
}

interface Split {
  readonly base: readonly JsonObject[];
  readonly changes: readonly JsonObject[];
  readonly replace: boolean;
}

/** Carries out `$patch` elements: `delete` takes out matching elements, `replace` takes the rest of the patch as the list. */
function applyDirectives(original: readonly JsonObject[], patch: readonly JsonObject[], mergeKey: string): Split {
  const changes: JsonObject[] = [];
  const doomed = new Set<unknown>();
  let replace = false;
  for (const element of patch) {
    const directive = ownField(element, directiveKey);
    if (directive === undefined) changes.push(element);
    else if (directive === 'delete') doomed.add(mergeKeyOf(mergeKey)(element));
    else if (directive === 'replace') replace = true;
    else if (directive === 'merge') throw failedPatch('merging lists cannot yet be specified in the patch');
    else throw failedPatch(`unknown patch type: ${goFormat(directive)} in map: ${goFormat(element)}`);
  }
  if (replace) return { base: changes.map((element) => withoutDirectives(element) as JsonObject), changes: [], replace };
  const base = doomed.size === 0 ? original : original.filter((element) => !doomed.has(ownField(element, mergeKey)));
  return { base, changes, replace };
}

function mergeElements(base: readonly JsonObject[], changes: readonly JsonObject[], mergeKey: string, merge: ElementMerger): Json[] {
  const merged: JsonObject[] = [...base];
  const at = new Map<unknown, number>();
  for (const [index, element] of merged.entries()) {
    const key = ownField(element, mergeKey);
    if (key !== undefined && !at.has(key)) at.set(key, index);
  }
  for (const change of changes) {
    if (!isJsonObject(change)) throw missingMergeKey(change, mergeKey);
    const key = mergeKeyOf(mergeKey)(change);
    const index = at.get(key);
    const before = index === undefined ? undefined : merged[index];
    if (index === undefined || before === undefined) {
      at.set(key, merged.length);
      merged.push(withoutDirectives(change) as JsonObject);
    } else {
      merged[index] = merge(before, change);
    }
  }
  return merged;
}
