import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../../store.ts';

// LMDB's meta page: a header of 24 bytes, then magic, version, address, map size, two trees of 48 bytes each, last page, transaction.
const metaBytes = 4096;
const flagsOffset = 18;
const magicOffset = 24;
const versionOffset = 28;
const pageSizeOffset = 48;
const rootOffsets = [88, 136];
const lastPageOffset = 144;
const transactionOffset = 152;
const metaFlag = 8;
const magic = 0xbeefc0de;
const version = 2;
const emptyTree = 0xffffffffffffffffn;

/** LMDB writes its reader table through a mapping, where a full disk is a signal and not an error: so the room is taken beforehand. */
const readerTableBytes = 16 * 1024;

/** Fields of a meta page; the newer of two is in force. */
/** What a store without entries takes, and more. */
const newStoreBytes = 256 * 1024;

interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly roots: readonly bigint[];
  readonly transaction: bigint;
}

/** undefined: `page` is no meta page. */
function parseMeta(page: Buffer): Meta | undefined {
  if (page.length < metaBytes || (page.readUInt16LE(flagsOffset) & metaFlag) === 0) return undefined;
  if (page.readUInt32LE(magicOffset) !== magic || page.readUInt32LE(versionOffset) !== version) return undefined;
  return {
    pageSize: page.readUInt32LE(pageSizeOffset),
    lastPage: Number(page.readBigUInt64LE(lastPageOffset)),
    roots: rootOffsets.map((offset) => page.readBigUInt64LE(offset)),
    transaction: page.readBigUInt64LE(transactionOffset),
  };
}

async function readPage(file: FileHandle, offset: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(metaBytes), 0, metaBytes, offset);
  return buffer.subarray(0, bytesRead);
}

/** The newer of the two meta pages, which is the one in force; undefined unless both are sound. */
async function readMeta(file: FileHandle): Promise<Meta | undefined> {
  const first = parseMeta(await readPage(file, 0));
  if (first === undefined) return undefined;
  const second = parseMeta(await readPage(file, first.pageSize));
  if (second === undefined) return undefined;
  return second.transaction > first.transaction ? second : first;
}

export interface DataFileState {
  /** The file was shorter than its own index says: data is very likely lost. */
  readonly truncated: boolean;
}

/** @throws the file system's error when there is no room for a new store. */
async function probeRoom(file: FileHandle): Promise<void> {
  try {
    await file.write(Buffer.alloc(newStoreBytes), 0, newStoreBytes, 0);
  } finally {
    await file.truncate(0);
  }
}

async function inspect(file: FileHandle, path: string): Promise<DataFileState> {
  const { size } = await file.stat();
  if (size === 0) {
    await probeRoom(file);
    return { truncated: false };
  }
  const corrupt = (what: string) => new StorageError('Corrupt', `${path}: ${what}`);
  const meta = await readMeta(file);
  if (meta === undefined) throw corrupt('not a data file, or its head is damaged');
  const isOutside = (page: bigint): boolean => page !== emptyTree && page > BigInt(meta.lastPage);
  if (meta.pageSize < 512 || meta.pageSize > 65536 || meta.roots.some(isOutside)) throw corrupt('the head is damaged');
  const expected = (meta.lastPage + 1) * meta.pageSize;
  if (expected > 2 ** 46) throw corrupt('the head is damaged'); // No store has 64 TiB.
  if (size >= expected) return { truncated: false };
  // Reading a mapping past the end of its file is a signal that kills the process. Zeros are an error that LMDB reports.
  await file.truncate(expected);
  return { truncated: true };
}

async function withFile<T>(path: string, fn: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'a', 0o600).then(
    (created) => created.close().then(() => open(path, 'r+')), // Created if missing; 'a' would write at the end only.
  );
  try {
    return await fn(file);
  } finally {
    await file.close();
  }
}

async function reserve(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  if (size < readerTableBytes) await file.write(Buffer.alloc(readerTableBytes), 0, readerTableBytes, 0);
}

/**
 * Makes LMDB's two files in `directory`, readable by their owner alone, safe to be opened: where LMDB's binding finds something amiss while
 * it opens a file, it takes the process down instead of reporting it.
 * @throws {StorageError} `Corrupt` when the head of the data file is damaged. File system errors pass through.
 */
export async function prepareDataFile(directory: string): Promise<DataFileState> {
  await withFile(join(directory, 'lock.mdb'), reserve);
  const path = join(directory, 'data.mdb');
  return withFile(path, (file) => inspect(file, path));
}
