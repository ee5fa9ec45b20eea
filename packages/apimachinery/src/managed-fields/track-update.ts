import type { ManagedFieldsEntry, ObjectMeta } from '../generated/meta-v1.ts';
import type { JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { StructSchema } from '../schema/schema.ts';
import type { FieldChanges } from './field-changes.ts';
import { compareObjects } from './field-changes.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, equalSets, fieldSetOfPaths, intersects, isEmptySet, subtractSet, subtractTrees, unionSets } from './field-set.ts';
import { capUpdateManagers } from './manager-cap.ts';
import type { FieldManagers } from './manager-entries.ts';
import { decodeManagers, encodeManagers, newManager, withFields } from './manager-entries.ts';
import { createdSet } from './object-set.ts';

export interface TrackOptions {
  /** Who writes. Empty reads as `unknown`. */
  readonly manager: string;
  /** The version in which the client speaks, as `apps/v1`. */
  readonly apiVersion: string;
  /** Absent or empty for the main endpoint. */
  readonly subresource?: string | undefined;
  /** RFC 3339, whole seconds. */
  readonly time: string;
  /** Fields that this endpoint resets, with all below them: nobody comes to own them here. See {@link fieldSetOfPaths}. */
  readonly ignore?: FieldSet | undefined;
}

const metadataFields = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
];

/** What no one ever owns. Source: stripMetaManager. */
const systemFields = fieldSetOfPaths([['apiVersion'], ['kind'], ...metadataFields.map((name) => ['metadata', name])]);

/** A set without what no one ever owns. */
export const withoutSystemFields = (fields: FieldSet): FieldSet => subtractSet(fields, systemFields);

const skipped = new WeakMap<FieldSet, FieldSet>();

/** What a comparison on an endpoint need not look at: system fields and those that it resets. Kept for each `ignore`. */
export function skippedFields(ignore: FieldSet = emptySet): FieldSet {
  const known = skipped.get(ignore) ?? unionSets(systemFields, ignore);
  skipped.set(ignore, known);
  return known;
}

/**
 * The managed fields after a create, update or patch, to be put in the place of `next`'s own: what the write changed moves to its
 * manager. Times of owners whose fields did not change stay; an empty list means that the object carries none.
 *
 * Clients may set `metadata.managedFields` on the main endpoint, and reset them with `[]` or `[{}]`. An object that is stored
 * without any is not tracked until it is applied. @param live - The stored object, absent on create.
 * Source: managedfields.FieldManager.Update.
 */
export function trackUpdate(
  schema: StructSchema,
  live: JsonObject | undefined,
  next: JsonObject,
  options: TrackOptions,
): readonly ManagedFieldsEntry[] {
  const liveEntries = entriesOf(live);
  const managers = startingManagers(liveEntries, entriesOf(next), (options.subresource ?? '') !== '');
  if (managers.size === 0 && live !== undefined) return [];
  const skip = skippedFields(options.ignore);
  const changes = live === undefined ? creation(schema, next, skip) : compareObjects(schema, live, next, skip);
  applyChanges(managers, changes, options);
  capUpdateManagers(managers);
  return sameEntries(encodeManagers(managers), liveEntries);
}

const creation = (schema: StructSchema, next: JsonObject, skip: FieldSet): FieldChanges => ({
  changed: createdSet(schema, next, skip),
  removed: emptySet,
});

/** Entries of an object's metadata. */
export function entriesOf(object: JsonObject | undefined): readonly ManagedFieldsEntry[] | undefined {
  const metadata = object?.['metadata'];
  if (!isJsonObject(metadata)) return undefined;
  return (metadata as Partial<ObjectMeta>).managedFields ?? undefined;
}

/** Whose word counts: the client's where it sent any that can be read, else the stored. Source: decodeLiveOrNew. */
function startingManagers(
  live: readonly ManagedFieldsEntry[] | undefined,
  next: readonly ManagedFieldsEntry[] | undefined,
  isSubresource: boolean,
): FieldManagers {
  if (isSubresource || next === live || next === undefined) return decodeManagers(live) ?? new Map();
  if (isReset(next)) return new Map();
  const sent = decodeManagers(next);
  return sent !== undefined && sent.size > 0 ? sent : (decodeManagers(live) ?? new Map());
}

const isReset = (entries: readonly ManagedFieldsEntry[]): boolean =>
  entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] ?? {}).length === 0);

/** Moves what changed to the writer and takes it, with what is gone, from all others. */
function applyChanges(managers: FieldManagers, changes: FieldChanges, options: TrackOptions): void {
  const { manager, apiVersion, subresource = '', time, ignore = emptySet } = options;
  const changed = subtractTrees(changes.changed, ignore);
  const writer = newManager({ name: manager === '' ? 'unknown' : manager, operation: 'Update', apiVersion, subresource }, time, changed);
  const held = managers.get(writer.id);
  releaseFields(managers, changed, subtractTrees(changes.removed, ignore));
  if (isEmptySet(changed)) return;
  const rest = managers.get(writer.id)?.fields ?? emptySet;
  const fields = unionSets(rest, changed);
  managers.set(writer.id, { ...writer, fields: held !== undefined && equalSets(held.fields, fields) ? held.fields : fields });
}

/** Takes paths from every owner but `except`; who owns nothing any more is gone. */
export function releaseFields(managers: FieldManagers, changed: FieldSet, removed: FieldSet, except?: string): void {
  const lost = unionSets(changed, removed);
  for (const [id, manager] of [...managers]) {
    if (id === except || !intersects(manager.fields, lost)) continue;
    const rest = withFields(manager, subtractSet(manager.fields, lost));
    if (isEmptySet(rest.fields)) managers.delete(id);
    else if (rest !== manager) managers.set(id, rest);
  }
}

/** The stored list itself where nothing changed. */
export const sameEntries = (
  entries: ManagedFieldsEntry[],
  live: readonly ManagedFieldsEntry[] | undefined,
): readonly ManagedFieldsEntry[] =>
  live !== undefined && live.length === entries.length && live.every((entry, index) => entry === entries[index]) ? live : entries;
