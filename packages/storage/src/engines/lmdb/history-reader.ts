import type { BackendRange, CommittedTransaction } from '../../mvcc/backend.ts';
import { compareKeys, keyRange } from '../../mvcc/key-order.ts';
import { type KeyValue, StorageError, type StoreEvent } from '../../store.ts';
import { entryOf, type Record, recordOf } from './record.ts';
import { clipBound } from './table-keys.ts';
import type { Tables } from './tables.ts';

/** In the table `history`: what a record of the log is. */
export const versionTypes = { put: Buffer.from([1]), delete: Buffer.from([2]) };
const isPut = (value: Buffer): boolean => value[0] === 1;

/** Reads entries, old and new, and the log. */
export interface HistoryReader {
  get(key: string): KeyValue | undefined;
  getAt(key: string, revision: number): KeyValue | undefined;
  rangeNewest(start: string, end: string, limit: number): BackendRange;
  rangeAt(start: string, end: string, limit: number, revision: number): BackendRange;
  /** Records of the log from `fromRevision` up to, without, `toRevision`, whole revisions until there are `recordsMax`. */
  records(fromRevision: number, toRevision: number, recordsMax: number): readonly (readonly Record[])[];
  toTransaction(records: readonly Record[]): CommittedTransaction;
}

export function newHistoryReader(tables: Tables): HistoryReader {
  const { newest, log, history } = tables;

  const logged = (key: string, revision: number): KeyValue => {
    const stored = log.get([key, revision], tables.snapshot);
    return entryOf(key, stored ?? 'damaged'); // Missing is as bad.
  };

  const get = (key: string): KeyValue | undefined => {
    const stored = newest.get(key, tables.snapshot);
    return stored === undefined ? undefined : entryOf(key, stored);
  };

  const getAt = (key: string, revision: number): KeyValue | undefined => {
    const options = { ...tables.snapshot, start: [key, revision], end: [key, 0], reverse: true, limit: 1 };
    for (const { key: version, value } of history.getRange(options)) return isPut(value) ? logged(key, version[1]) : undefined;
    return undefined;
  };

  const rangeNewest = (start: string, end: string, limit: number): BackendRange => {
    const bounds = { ...tables.snapshot, start: clipBound(start), end: clipBound(end) };
    const entries: KeyValue[] = [];
    for (const { key, value } of newest.getRange(limit === 0 ? bounds : { ...bounds, limit })) entries.push(entryOf(key, value));
    return { entries, count: limit === 0 || entries.length < limit ? entries.length : newest.getKeysCount(bounds) };
  };

  /** Keys of the range that existed at `revision`, each with the revision that wrote it. */
  const versionsAt = function* (start: string, end: string, revision: number): Generator<readonly [string, number]> {
    const isInRange = keyRange(start, end);
    // A NUL in a bound would fall among the versions of a key: take all of that key's, and sort out by the key.
    const lastKey = end.indexOf('\0') < 0 ? end : `${end.slice(0, end.indexOf('\0'))}\u0001`;
    const bounds = { ...tables.snapshot, start: [clipBound(start), -1], end: [clipBound(lastKey), -1] };
    let found: readonly [string, number] | undefined; // The newest version so far of the key that is being read; undefined: deleted.
    for (const { key: version, value } of history.getRange(bounds)) {
      const [key, at] = version;
      if (found !== undefined && found[0] !== key) {
        yield found;
        found = undefined;
      }
      if (at <= revision && isInRange(key)) found = isPut(value) ? version : undefined;
    }
    if (found !== undefined) yield found;
  };

  const rangeAt = (start: string, end: string, limit: number, revision: number): BackendRange => {
    const entries: KeyValue[] = [];
    let count = 0;
    for (const [key, at] of versionsAt(start, end, revision)) {
      count += 1;
      if (limit === 0 || count <= limit) entries.push(logged(key, at));
    }
    return { entries, count };
  };

  const records = (fromRevision: number, toRevision: number, recordsMax: number): Record[][] => {
    const groups: Record[][] = [];
    let records = 0;
    let revision = 0;
    const bounds = { ...tables.snapshot, start: ['', fromRevision], end: ['', toRevision] };
    for (const { key, value } of log.getRange(bounds)) {
      if (key[1] !== revision) {
        if (records >= recordsMax) break;
        groups.push([]);
        revision = key[1];
      }
      groups.at(-1)?.push(recordOf(key[0], value));
      records += 1;
    }
    return groups;
  };

  const toEvent = ({ type, entry, previousRevision }: Record): StoreEvent => {
    const { key, modRevision: revision } = entry;
    const previous = previousRevision === 0 ? undefined : logged(key, previousRevision);
    if (type === 'put') return previous === undefined ? { type, key, entry, revision } : { type, key, entry, previous, revision };
    if (previous === undefined) throw new StorageError('Corrupt', `the deletion of ${key} at revision ${revision} deleted nothing`);
    return { type, key, entry: previous, revision };
  };

  const isEmpty = (start: string, end: string): boolean => compareKeys(start, end) >= 0;
  const nothing: BackendRange = { entries: [], count: 0 };

  return {
    get,
    getAt,
    rangeNewest: (start, end, limit) => (isEmpty(start, end) ? nothing : rangeNewest(start, end, limit)),
    rangeAt: (start, end, limit, revision) => (isEmpty(start, end) ? nothing : rangeAt(start, end, limit, revision)),
    records,
    toTransaction(group) {
      const events = group.map(toEvent);
      return { revision: events[0]?.revision ?? 0, events };
    },
  };
}
