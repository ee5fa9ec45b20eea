import { newBadRequest, StatusError } from '../errors/status-error.ts';
import type { ManagedFieldsEntry } from '../generated/meta-v1.ts';
import type { JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { OpenObject } from '../patch/json-value.ts';
import { equalJson } from '../patch/json-value.ts';
import { boundedDepth } from '../patch/patch-error.ts';
import type { StructSchema } from '../schema/schema.ts';
import type { ApplyConflict } from './apply-conflict.ts';
import { applyConflictError, conflictsBeyond, findConflicts } from './apply-conflict.ts';
import { compareObjects } from './field-changes.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, equalSets, intersectSets, isEmptySet, subtractSet, subtractTrees, unionSets } from './field-set.ts';
import { fieldsOfLastApplied, kubectlManager, withLastApplied } from './last-applied.ts';
import type { FieldManager, FieldManagers } from './manager-entries.ts';
import { decodeManagers, encodeManagers, newManager } from './manager-entries.ts';
import { createdSet, fieldSetOf } from './object-set.ts';
import { removeFields, withNamedFields } from './remove-fields.ts';
import type { TrackOptions } from './track-update.ts';
import { entriesOf, releaseFields, sameEntries, skippedFields, withoutSystemFields } from './track-update.ts';
import { configProblems } from './typed-check.ts';
import { mergeTyped } from './typed-merge.ts';

export interface ApplyOptions extends TrackOptions {
  /** Take fields from others instead of failing. */
  readonly force?: boolean | undefined;
  /** For messages: the object's kind, as `Deployment`. @default config's kind */
  readonly kind?: string;
}

export interface ApplyResult {
  /** The merged object without `metadata.managedFields`, not yet defaulted; shares its parts with the stored one and the configuration. */
  readonly object: JsonObject;
  readonly managedFields: readonly ManagedFieldsEntry[];
  /** False where neither a field nor an owner changed: nothing is to be written. */
  readonly changed: boolean;
}

/**
 * Merges an applied configuration into the stored object and makes `options.manager` owner of exactly the fields that it states: what it
 * stated before and states no more goes, unless someone else owns it too. @param live - Absent where apply creates the object.
 * @throws StatusError Conflict (409) for fields of others that would change, without `force`; BadRequest for another apiVersion or for
 * `metadata.managedFields` in the configuration; 500 with upstream's text for a configuration that does not fit the schema.
 * Source: managedfields.FieldManager.Apply, KEP-555.
 */
export function serverSideApply(schema: StructSchema, live: JsonObject | undefined, config: unknown, options: ApplyOptions): ApplyResult {
  return boundedDepth(() => new Application(schema, live, checkedConfig(schema, config, options), options).run());
}

function checkedConfig(schema: StructSchema, config: unknown, { apiVersion, kind }: ApplyOptions): JsonObject {
  if (!isJsonObject(config)) throw newBadRequest('error decoding YAML: the configuration must be an object');
  const version = config['apiVersion'];
  if (version !== undefined && version !== apiVersion) {
    throw newBadRequest(`Incorrect version specified in apply patch. Specified patch version: ${textOf(version)}, expected: ${apiVersion}`);
  }
  const metadata = isJsonObject(config['metadata']) ? config['metadata'] : {};
  if ((metadata['managedFields'] ?? null) !== null) throw newBadRequest('metadata.managedFields must be nil');
  const problems = configProblems(schema, config);
  if (problems.length > 0) {
    const list = problems.length === 1 ? problems[0] : `errors:\n${problems.map((problem) => `  ${problem}`).join('\n')}`;
    const name = `${textOf(metadata['namespace'])}/${textOf(metadata['name'])}`;
    const type = `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind ?? textOf(config['kind'])}`;
    throw new StatusError('', `failed to create typed patch object (${name}; ${type}): ${list}`, undefined, { code: 500 });
  }
  return config;
}

/** Text of a client's value for a message: of nothing but a string, since objects may carry a `toString` of their own. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

class Application {
  readonly #schema: StructSchema;
  readonly #live: JsonObject | undefined;
  readonly #config: JsonObject;
  readonly #options: ApplyOptions;
  readonly #ignore: FieldSet;
  /** System fields and `#ignore`. */
  readonly #skip: FieldSet;
  /** The applier, before it owns anything. */
  readonly #applier: FieldManager;

  constructor(schema: StructSchema, live: JsonObject | undefined, config: JsonObject, options: ApplyOptions) {
    this.#schema = schema;
    this.#live = live;
    this.#config = config;
    this.#options = options;
    this.#ignore = options.ignore ?? emptySet;
    this.#skip = skippedFields(options.ignore);
    const { manager, apiVersion, subresource = '' } = options;
    this.#applier = newManager({ name: manager, operation: 'Apply', apiVersion, subresource }, undefined, emptySet);
  }

  run(): ApplyResult {
    const stored = withoutManagedFields(this.#live ?? {});
    const managers = this.#storedManagers(stored);
    const last = managers.get(this.#applier.id);
    const stated = subtractTrees(fieldSetOf(this.#schema, this.#config), this.#ignore);
    const fields = withoutSystemFields(stated);
    managers.set(this.#applier.id, { ...this.#applier, fields: stated });
    const merged = this.#pruned(mergeTyped(this.#schema, stored, this.#config), managers, last);
    this.#takeFields(managers, stored, merged);
    const object = this.#options.manager === kubectlManager ? withLastApplied(merged, this.#config) : merged;
    const sameObject = this.#live !== undefined && equalJson(stored, object);
    this.#record(managers, last, fields, sameObject);
    const managedFields = sameEntries(encodeManagers(managers), entriesOf(this.#live));
    return { object, managedFields, changed: !sameObject || managedFields !== entriesOf(this.#live) };
  }

  /** An object stored without owners gets one for all that it holds, so that taking it over is a conflict. Source: skipNonAppliedManager. */
  #storedManagers(stored: JsonObject): FieldManagers {
    const managers = decodeManagers(entriesOf(this.#live));
    if (managers === undefined) throw new StatusError('', 'failed to decode managed fields', undefined, { code: 500 });
    if (this.#live === undefined || managers.size > 0) return managers;
    const { apiVersion, subresource = '', time } = this.#options;
    const fields = createdSet(this.#schema, stored, this.#skip);
    const owner = newManager({ name: 'before-first-apply', operation: 'Update', apiVersion, subresource }, time, fields);
    if (!isEmptySet(fields)) managers.set(owner.id, owner);
    return managers;
  }

  /** Takes away what this manager stated last time, states no more, and nobody else owns. Source: Updater.prune. */
  #pruned(merged: JsonObject, managers: FieldManagers, last: FieldManager | undefined): JsonObject {
    const stated = managers.get(this.#applier.id)?.fields ?? emptySet;
    if (last === undefined || isEmptySet(subtractSet(last.fields, stated))) return merged;
    const schema = this.#schema;
    const named = (set: FieldSet): FieldSet => withNamedFields(schema, set);
    const lastNamed = named(last.fields);
    const owned = [...managers.values()].reduce((all, { fields }) => unionSets(all, fields), emptySet);
    const mergedSet = named(fieldSetOf(schema, merged));
    const firstCut = removeFields(schema, merged, lastNamed);
    const kept = unionSets(named(fieldSetOf(schema, firstCut)), named(owned));
    const secondCut = removeFields(schema, merged, subtractSet(mergedSet, kept));
    const gone = subtractSet(mergedSet, named(fieldSetOf(schema, secondCut)));
    return removeFields(schema, merged, intersectSets(gone, lastNamed));
  }

  /** Takes what changed from its owners. @throws StatusError Conflict where there are others and no force. */
  #takeFields(managers: FieldManagers, stored: JsonObject, merged: JsonObject): void {
    if (this.#live === undefined) return; // Nobody owned anything.
    const changes = compareObjects(this.#schema, stored, merged, this.#skip);
    const changed = subtractTrees(changes.changed, this.#ignore);
    if (this.#options.force !== true) this.#refuseConflicts(findConflicts(managers, changed, this.#applier.id));
    releaseFields(managers, changed, subtractTrees(changes.removed, this.#ignore), this.#applier.id);
  }

  #refuseConflicts(conflicts: readonly ApplyConflict[]): void {
    if (conflicts.length === 0) return;
    const { manager, apiVersion } = this.#options;
    const allowed =
      manager === kubectlManager && this.#live !== undefined ? fieldsOfLastApplied(this.#schema, this.#live, apiVersion) : undefined;
    if (allowed === undefined || conflictsBeyond(conflicts, allowed)) throw applyConflictError(conflicts, allowed);
  }

  /** Writes down what the manager owns now; its time moves only with a change. */
  #record(managers: FieldManagers, last: FieldManager | undefined, fields: FieldSet, sameObject: boolean): void {
    if (isEmptySet(fields)) {
      managers.delete(this.#applier.id);
      return;
    }
    const { apiVersion, time } = this.#options;
    const same = sameObject && last !== undefined && last.apiVersion === apiVersion && equalSets(last.fields, fields);
    managers.set(this.#applier.id, same ? last : { ...this.#applier, time, fields });
  }
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const metadata = object['metadata'];
  if (!isJsonObject(metadata) || metadata['managedFields'] === undefined) return object;
  const rest: OpenObject = { ...metadata };
  delete rest['managedFields'];
  return { ...object, metadata: rest };
}
