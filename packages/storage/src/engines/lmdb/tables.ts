import type { Database, Key, RangeOptions, RootDatabase, Transaction } from 'lmdb';
import { newDiskRoom } from './disk-room.ts';
import { isDiskFull } from './disk-space.ts';
import { commitErrorOf, isNoSpace, noSpace, toStorageError } from './lmdb-errors.ts';
import { recordEncoder, type StoredRecord } from './record.ts';
import { keysByNumber, keysWithNumber, type NumberedKey, plainKeys } from './table-keys.ts';

/** Address space, not disk or memory; LMDB's binding moves to a larger map when data outgrows it. Above 2**31 a shift would overflow. */
const mapBytes = 2 ** 36;

/** A table of records: written encoded, read decoded. */
export interface RecordTable<K extends Key> {
  put(key: K, encoded: Buffer): unknown;
  remove(key: K): unknown;
  get(key: K, options: { readonly transaction: Transaction }): StoredRecord | undefined;
  getRange(options: RangeOptions): Iterable<{ readonly key: K; readonly value: StoredRecord }>;
  getKeys(options: RangeOptions): Iterable<K>;
  getKeysCount(options: RangeOptions): number;
  getStats(): unknown;
}

/** LMDB's tables. Other values are `Buffer`s; what is read is a copy. */
export interface Tables {
  /** `format` and `state`. */
  readonly meta: Database<Buffer, string>;
  /** Newest record of each key that exists. */
  readonly newest: RecordTable<string>;
  /** Every record since the compaction by revision and key, and older ones that can still be read. */
  readonly log: RecordTable<NumberedKey>;
  /** Type of each record of the log by key and revision: finds what a key was at a revision. */
  readonly history: Database<Buffer, NumberedKey>;
  /** TTL by lease (the key is empty). */
  readonly leases: Database<Buffer, NumberedKey>;
  /** Lease and key, for each key that has a lease. */
  readonly leaseKeys: Database<Buffer, NumberedKey>;
  /** What every read sees: the state after the last `write`, whatever is being written. */
  readonly snapshot: { readonly transaction: Transaction };
  /**
   * Runs `fn`, whose puts and removes become one transaction of `bytes` at most. When it is on disk, moves `snapshot` to it and calls `onDurable`, without a
   * moment in between, and resolves.
   * @throws {StorageError} `NoSpace` when nothing was written and the tables can be used on; `Corrupt` when they cannot.
   */
  write(bytes: number, fn: () => void, onDurable: () => void): Promise<void>;
  /** Lets go of the snapshot; `root` is the caller's to close, after. */
  close(): Promise<void>;
}

// The binding's types leave out the encoder, which its documentation has.
const tableOptions = (keyEncoder: unknown) => ({ encoding: 'binary', keyEncoder }) as const;

/** Opens LMDB in `directory`, whose files must have been prepared. */
export function openRoot(lmdb: typeof import('lmdb'), directory: string): RootDatabase {
  return lmdb.open({
    path: directory,
    noSubdir: false,
    mapSize: mapBytes,
    maxDbs: 8,
    encoding: 'binary',
    // A transaction is on disk when it is reported. With overlapping syncs it would only be visible.
    overlappingSync: false,
    // Batches are made here; the binding's own have a promise that nobody could handle.
    eventTurnBatching: false,
  });
}

/**
 * Opens, or makes, the tables of `root`. `checkMeta` is called before any other table than `meta` is touched, and may throw.
 */
export function openTables(root: RootDatabase, directory: string, checkMeta: (meta: Database<Buffer, string>) => void): Tables {
  const plain = (name: string) => root.openDB<Buffer, string>(name, tableOptions(plainKeys));
  const numbered = (name: string, keyEncoder: unknown) => root.openDB<Buffer, NumberedKey>(name, tableOptions(keyEncoder));
  const records = <K extends Key>(name: string, keyEncoder: unknown) =>
    root.openDB(name, { ...tableOptions(keyEncoder), ...{ encoder: recordEncoder } }) as unknown as RecordTable<K>;
  const open = () => {
    const meta = plain('meta');
    checkMeta(meta);
    return {
      meta,
      newest: records<string>('newest', plainKeys),
      log: records<NumberedKey>('log', keysByNumber),
      history: numbered('history', keysWithNumber),
      leases: numbered('leases', keysByNumber),
      leaseKeys: numbered('leaseKeys', keysByNumber),
    };
  };
  const tables = root.transactionSync(open); // One sync, not one for each table; and no trace of any if the check throws.
  let snapshot = { transaction: root.useReadTransaction() }; // Knows only the tables that were open before.

  const renewSnapshot = (): void => {
    snapshot.transaction.done();
    root.resetReadTxn(); // Or the old one would be handed out again.
    snapshot = { transaction: root.useReadTransaction() };
  };

  /** After a failed write: throws unless LMDB can go on. Asynchronous writes would wait for ever. */
  const assertUsable = (): void => {
    root.transactionSync(() => undefined);
  };

  const room = newDiskRoom(directory, () => {
    const { lastPageNumber, pageSize } = root.getStats() as { readonly lastPageNumber: number; readonly pageSize: number };
    return (lastPageNumber + 1) * pageSize;
  });

  const write = async (bytes: number, fn: () => void, onDurable: () => void): Promise<void> => {
    await room.ensure(bytes);
    try {
      await root.batch(fn);
    } catch (error) {
      const cause = await commitErrorOf(error);
      if (!isNoSpace(cause) && !(await isDiskFull(directory))) throw toStorageError(cause, 'writing');
      assertUsable();
      throw noSpace(cause);
    }
    renewSnapshot();
    onDurable();
  };

  return {
    ...tables,
    get snapshot() {
      return snapshot;
    },
    write,
    async close() {
      snapshot.transaction.done();
      await room.close();
    },
  };
}
