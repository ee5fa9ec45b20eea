import type { Backend, CommitGroup, LeaseChange, PersistedLease } from '../../mvcc/backend.ts';
import type { KeyValue, StoreEvent } from '../../store.ts';
import { newHistoryReader, versionTypes } from './history-reader.ts';
import { toStorageError } from './lmdb-errors.ts';
import { encodeRecord, type Record } from './record.ts';
import { encodeState, type StoreState } from './state-record.ts';
import type { Tables } from './tables.ts';
import { transactionBytes } from './transaction-bytes.ts';

/** Events that one step of a compaction forgets: a few milliseconds. */
const trimEventsMax = 500;
const present = Buffer.from([1]);
const noValue = new Uint8Array();

function toRecord(event: StoreEvent): Record {
  if (event.type === 'put') return { type: 'put', entry: event.entry, previousRevision: event.previous?.modRevision ?? 0 };
  const entry: KeyValue = { key: event.key, value: noValue, createRevision: event.revision, modRevision: event.revision, lease: 0 };
  return { type: 'delete', entry, previousRevision: event.entry.modRevision };
}

function groupBytes({ transactions, leases }: CommitGroup): number {
  let events = leases.length;
  let values = 0;
  for (const transaction of transactions) {
    events += transaction.events.length;
    for (const event of transaction.events) values += event.type === 'put' ? event.entry.value.byteLength : 0;
  }
  return transactionBytes(events, values);
}

/** History in LMDB's tables. `initial` is what the tables say; `close` also closes them. */
export function newLmdbBackend(tables: Tables, initial: StoreState, close: () => Promise<void>): Backend {
  const { meta, newest, log, history, leases, leaseKeys } = tables;
  const reader = newHistoryReader(tables);
  let state = initial; // Always what the snapshot of `tables` says.

  const moveLease = (event: StoreEvent): void => {
    const before = event.type === 'put' ? event.previous?.lease : event.entry.lease;
    const after = event.type === 'put' ? event.entry.lease : 0;
    if (before !== undefined && before !== 0 && before !== after) leaseKeys.remove([event.key, before]);
    if (after !== 0) leaseKeys.put([event.key, after], present);
  };

  const writeEvent = (event: StoreEvent): void => {
    const { key, revision, type } = event;
    const record = encodeRecord(toRecord(event));
    log.put([key, revision], record);
    history.put([key, revision], versionTypes[type]);
    if (type === 'put') newest.put(key, record);
    else newest.remove(key);
    moveLease(event);
  };

  const writeLease = (change: LeaseChange): void => {
    if (change.type === 'revoke') {
      leases.remove(['', change.lease]);
      return;
    }
    const ttl = Buffer.alloc(8);
    ttl.writeDoubleBE(change.ttlSeconds);
    leases.put(['', change.lease], ttl);
  };

  const writeState = (next: StoreState, bytes: number, fn: () => void): Promise<void> => {
    const write = (): void => {
      fn();
      meta.put('state', encodeState(next));
    };
    return tables.write(bytes, write, () => {
      state = next;
    });
  };

  const commit = (group: CommitGroup): Promise<void> => {
    const next: StoreState = {
      ...state,
      revision: group.transactions.at(-1)?.revision ?? state.revision,
      compactedRevision: group.compactedRevision ?? state.compactedRevision,
      leaseMax: group.leases.reduce((max, change) => Math.max(max, change.lease), state.leaseMax),
    };
    return writeState(next, groupBytes(group), () => {
      for (const transaction of group.transactions) transaction.events.forEach(writeEvent);
      group.leases.forEach(writeLease);
    });
  };

  const forget = (key: string, revision: number): void => {
    log.remove([key, revision]);
    history.remove([key, revision]);
  };

  /** What a record below the compaction has superseded, and a deletion too: nobody can read that any more. */
  const forgetSuperseded = ({ type, entry, previousRevision }: Record): void => {
    if (previousRevision !== 0) forget(entry.key, previousRevision);
    if (type === 'delete') forget(entry.key, entry.modRevision);
  };

  const trim = async (): Promise<boolean> => {
    const { trimmedRevision, compactedRevision } = state;
    if (trimmedRevision >= compactedRevision) return false;
    const groups = reader.records(trimmedRevision, compactedRevision, trimEventsMax);
    const reached = groups.at(-1)?.[0]?.entry.modRevision ?? compactedRevision;
    const records = groups.flat();
    const next = { ...state, trimmedRevision: Math.min(reached + 1, compactedRevision) };
    await writeState(next, transactionBytes(records.length, 0), () => records.forEach(forgetSuperseded));
    return state.trimmedRevision < state.compactedRevision;
  };

  const keysOf = (lease: number): string[] => {
    const bounds = { ...tables.snapshot, start: ['', lease], end: ['', lease + 1] };
    return Array.from(leaseKeys.getKeys(bounds), ([key]) => key);
  };

  const readLeases = (): PersistedLease[] =>
    Array.from(leases.getRange({ ...tables.snapshot, start: ['', 0] }), ({ key, value }) => ({
      lease: key[1],
      ttlSeconds: value.readDoubleBE(0),
      keys: keysOf(key[1]),
    }));

  /** Reads, with LMDB's errors translated. */
  const reading = <T>(fn: () => T): T => {
    try {
      return fn();
    } catch (error) {
      throw toStorageError(error, 'reading');
    }
  };

  return {
    get revision() {
      return state.revision;
    },
    get compactedRevision() {
      return state.compactedRevision;
    },
    get leaseMax() {
      return state.leaseMax;
    },
    get: (key) => reading(() => reader.get(key)),
    getAt: (key, revision) => reading(() => reader.getAt(key, revision)),
    range: (start, end, limit, revision) =>
      reading(() => (revision === state.revision ? reader.rangeNewest(start, end, limit) : reader.rangeAt(start, end, limit, revision))),
    readLog: (fromRevision, eventsMax) =>
      reading(() => reader.records(fromRevision, state.revision + 1, eventsMax).map((group) => reader.toTransaction(group))),
    leases: () => reading(readLeases),
    commit,
    trim,
    close,
  };
}
