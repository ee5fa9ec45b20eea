import type { ManagedFieldsEntry } from '../generated/meta-v1.ts';
import { isJsonObject } from '../json.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, equalSets, leaf, nodeOf, sorted } from './field-set.ts';

/** Who owns fields, and how. */
export interface ManagerIdentity {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** Empty for the main endpoint. */
  readonly subresource: string;
}

/** One owner of fields. Immutable. */
export interface FieldManager extends ManagerIdentity {
  readonly id: string;
  /** RFC 3339, whole seconds. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
  /** The entry that says exactly this, so that unchanged entries stay the same objects. */
  readonly entry: ManagedFieldsEntry | undefined;
}

/** Owners by identity: operation, name, version (not for appliers) and subresource. */
export type FieldManagers = Map<string, FieldManager>;

/** Source: BuildManagerIdentifier. */
export const managerId = ({ name, operation, apiVersion, subresource }: ManagerIdentity): string =>
  `${name}\0${operation}\0${operation === 'Apply' ? '' : apiVersion}\0${subresource}`;

/** An owner that has not been written down yet. */
export function newManager(identity: ManagerIdentity, time: string | undefined, fields: FieldSet): FieldManager {
  const { name, operation, apiVersion, subresource } = identity;
  return { name, operation, apiVersion, subresource, id: managerId(identity), time, fields, entry: undefined };
}

const decoded = new WeakMap<ManagedFieldsEntry, FieldManager>();

/** Reads stored entries; undefined where one is malformed. Each entry object is read once. Source: DecodeManagedFields. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): FieldManagers | undefined {
  const managers: FieldManagers = new Map();
  for (const entry of entries ?? []) {
    const manager = decoded.get(entry) ?? decodeEntry(entry);
    if (manager === undefined) return undefined;
    decoded.set(entry, manager);
    managers.set(manager.id, manager);
  }
  return managers;
}

function decodeEntry(entry: ManagedFieldsEntry): FieldManager | undefined {
  const { manager = '', operation, apiVersion = '', subresource = '', fieldsType, fieldsV1 = {}, time } = entry;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  if (apiVersion === '' || fieldsType !== 'FieldsV1') return undefined;
  const fields = decodeFieldsV1(fieldsV1);
  return fields === undefined
    ? undefined
    : { ...newManager({ name: manager, operation, apiVersion, subresource }, time ?? undefined, fields), entry };
}

/** FieldsV1 deeper than this is refused: no schema is. */
const depthMax = 200;

/**
 * Reads FieldsV1 as a set in canonical order; undefined where it is malformed. Elements of unknown kinds are left out, as upstream does.
 */
export function decodeFieldsV1(value: unknown): FieldSet | undefined {
  return isJsonObject(value) ? decodeNode(value, true, depthMax) : undefined;
}

function decodeNode(value: object, isRoot: boolean, depth: number): FieldSet | undefined {
  if (depth === 0) return undefined;
  const children: [string, FieldSet][] = [];
  for (const [element, child] of Object.entries(value)) {
    if (!isJsonObject(child)) return undefined;
    if (element === '.' || !/^[fkvi]:/.test(element)) continue;
    const canonical = canonicalElement(element);
    const node = canonical === undefined ? undefined : decodeNode(child, false, depth - 1);
    if (canonical === undefined || node === undefined) return undefined;
    children.push([canonical, node]);
  }
  const member = !isRoot && (Object.hasOwn(value, '.') || children.length === 0);
  return nodeOf(sorted(children), member) ?? (isRoot ? emptySet : leaf);
}

/** A path element with its JSON written as we write it; undefined where the JSON is none. */
function canonicalElement(element: string): string | undefined {
  if (element.startsWith('f:')) return element;
  let value: unknown;
  try {
    value = JSON.parse(element.slice(2));
  } catch {
    return undefined;
  }
  if (!element.startsWith('k:')) return element.slice(0, 2) + JSON.stringify(value);
  if (!isJsonObject(value)) return undefined;
  const keys = Object.keys(value).sort();
  return `k:{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(value[key])}`).join(',')}}`;
}

/** Entries as objects carry them, sorted; owners of nothing are left out. Source: sortEncodedManagedFields. */
export function encodeManagers(managers: FieldManagers): ManagedFieldsEntry[] {
  const list = [...managers.values()];
  return (list.length < 2 ? list : list.sort(compareManagers)).map(encodeManager);
}

function encodeManager(manager: FieldManager): ManagedFieldsEntry {
  if (manager.entry !== undefined) return manager.entry;
  const entry: ManagedFieldsEntry = {
    manager: manager.name,
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: manager.fields,
    ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
  };
  decoded.set(entry, { ...manager, entry });
  return entry;
}

function compareManagers(left: FieldManager, right: FieldManager): number {
  if (left.operation !== right.operation) return left.operation < right.operation ? -1 : 1;
  return (
    (left.time === right.time ? 0 : secondsOf(left) - secondsOf(right)) ||
    compareText(left.name, right.name) ||
    compareText(left.apiVersion, right.apiVersion) ||
    compareText(left.subresource, right.subresource)
  );
}

const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** Seconds of a manager's last change; 0 where it has none. */
export function secondsOf({ time }: FieldManager): number {
  const seconds = time === undefined ? 0 : Math.floor(Date.parse(time) / 1000);
  return Number.isNaN(seconds) ? 0 : seconds;
}

/** The manager with other fields: itself where they are the same. */
export const withFields = (manager: FieldManager, fields: FieldSet): FieldManager =>
  manager.fields === fields || equalSets(manager.fields, fields) ? manager : { ...manager, fields, entry: undefined };
