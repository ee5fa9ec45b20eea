import { chmod, mkdir } from 'node:fs/promises';
import { type Clock, inNextTurn, newDisposer } from '@orrery/base';
import type { Database } from 'lmdb';
import type { Backend } from '../../mvcc/backend.ts';
import { newMvccStore } from '../../mvcc/mvcc-store.ts';
import { StorageError, type Store } from '../../store.ts';
import { prepareDataFile } from './data-file.ts';
import { lockDirectory } from './directory-lock.ts';
import { newLmdbBackend } from './lmdb-backend.ts';
import { toStorageError } from './lmdb-errors.ts';
import { decodeState, emptyState, encodeState } from './state-record.ts';
import { openRoot, openTables, type Tables } from './tables.ts';
import { transactionBytes } from './transaction-bytes.ts';

/** Version of the layout of the tables. Raise it with every change that older code would misread. */
const formatVersion = 1;

export interface LmdbStoreOptions {
  /** Made, with mode 0700, if missing. Belongs to the store alone. On a local file system. */
  readonly directory: string;
  readonly clock: Clock;
}

function checkFormat(meta: Database<Buffer, string>): void {
  const format = meta.get('format')?.readUInt32BE(0);
  if (format !== undefined && format > formatVersion) {
    throw new StorageError('VersionTooNew', `the data has format ${format}; this version of Orrery reads up to ${formatVersion}`);
  }
}

/** Writes the records of a new store. */
async function initialise(tables: Tables): Promise<void> {
  if (tables.meta.get('format', tables.snapshot) !== undefined) return;
  const format = Buffer.alloc(4);
  format.writeUInt32BE(formatVersion);
  const write = (): void => {
    tables.meta.put('format', format);
    tables.meta.put('state', encodeState(emptyState));
  };
  await tables.write(transactionBytes(0, 0), write, () => undefined);
}

function expectAll(table: { getStats(): unknown }, keys: Iterable<unknown>): void {
  const { entryCount } = table.getStats() as { readonly entryCount: number };
  let found = 0;
  for (const _key of keys) found += 1;
  if (found !== entryCount) throw new StorageError('Corrupt', `${entryCount - found} entries are missing`);
}

/** Reads every key once. @throws {StorageError} `Corrupt` when something cannot be read. */
function verify(tables: Tables): void {
  const { meta, newest, log, history, leases, leaseKeys, snapshot } = tables;
  for (const table of [meta, newest]) expectAll(table, table.getKeys({ ...snapshot, start: '' }));
  for (const table of [log, history, leases, leaseKeys]) expectAll(table, table.getKeys({ ...snapshot, start: ['', 0] }));
}

async function openBackend(options: LmdbStoreOptions): Promise<Backend> {
  const disposer = newDisposer();
  try {
    await mkdir(options.directory, { recursive: true, mode: 0o700 });
    await chmod(options.directory, 0o700); // Made by somebody else, maybe.
    const loading = import('lmdb');
    loading.catch(() => undefined); // Awaited below; must not be nobody's when locking fails first.
    const lock = await lockDirectory(options.directory);
    disposer.defer(() => lock.release());
    const { truncated } = await prepareDataFile(options.directory);
    const root = openRoot(await loading, options.directory);
    disposer.defer(() => root.close());
    const tables = openTables(root, options.directory, checkFormat);
    disposer.defer(() => tables.close());
    await initialise(tables);
    if (truncated) verify(tables);
    const state = tables.meta.get('state', tables.snapshot);
    if (state === undefined) throw new StorageError('Corrupt', "the store's own record is missing");
    return newLmdbBackend(tables, decodeState(state), () => disposer.dispose());
  } catch (error) {
    await disposer.dispose();
    throw toStorageError(error, `opening ${options.directory}`);
  }
}

/**
 * A durable store in one directory: one process at a time, at most one store in it.
 *
 * Files in it: `data.mdb` and `lock.mdb` are LMDB's, `lock` is held locked while the store is open. All have mode 0600.
 * @throws {StorageError} `Locked`, `VersionTooNew`, `Corrupt`, `NoSpace`.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const backend = await openBackend(options);
  try {
    // A turn lets the calls come together that answer one batch of requests.
    return newMvccStore({ backend, clock: options.clock, gather: inNextTurn });
  } catch (error) {
    await backend.close();
    throw error;
  }
}
