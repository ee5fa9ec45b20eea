import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isNoSpace } from './lmdb-errors.ts';

/** More than one group of writes takes, by far. */
const probeBytes = 16 * 1024 * 1024;

async function writeZeros(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    const piece = Buffer.alloc(1024 * 1024);
    for (let written = 0; written < bytes; written += piece.length) await file.write(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Whether the file system of `directory` has no room for a large write: LMDB reports a write that was cut short by a full disk as an
 * I/O error, like a disk that is broken. Asks by writing, because quotas do not show in the free blocks.
 */
export async function isDiskFull(directory: string): Promise<boolean> {
  const path = join(directory, 'probe');
  try {
    await writeZeros(path, probeBytes);
    return false;
  } catch (error) {
    return isNoSpace(error);
  } finally {
    await rm(path, { force: true });
  }
}
