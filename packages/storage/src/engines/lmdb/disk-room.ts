import { statfsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { noSpace } from './lmdb-errors.ts';

/**
 * Sees to it that LMDB has room for what it is about to write. LMDB must not find out itself that a disk is full: the binding's message
 * about it is longer than the buffer that it is written into, and sooner or later the process dies of that.
 */
export interface DiskRoom {
  /**
   * Resolves when `bytes` more can be written; at once while the disk has plenty. On a disk that has not, the end of the data file is
   * filled beforehand, so that nobody else can take the room meanwhile. One call at a time, and none while LMDB writes.
   * @throws {StorageError} `NoSpace`
   */
  ensure(bytes: number): Promise<void>;
  close(): Promise<void>;
}

const mib = 1024 * 1024;
/** Nobody fills so much between the look and the write. */
const plentyBytes = 256 * mib;
/** What is taken beyond the need, so that a full disk still lets a cluster be put right: pods evicted, objects deleted. */
const spareBytes = 8 * mib;
const piece = Buffer.alloc(mib);

/** @param usedBytes - How much of the data file LMDB uses: what it writes beyond takes new room. */
export function newDiskRoom(directory: string, usedBytes: () => number): DiskRoom {
  let file: FileHandle | undefined;
  let filledBytes = 0; // Up to here the file has its room on the disk.

  const hasPlenty = (bytes: number): boolean => {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize >= plentyBytes + bytes;
  };

  /** Writes zeros behind what LMDB uses. @returns the error that stopped it. */
  const fillTo = async (wantedBytes: number): Promise<unknown> => {
    file ??= await open(join(directory, 'data.mdb'), 'r+');
    try {
      while (filledBytes < wantedBytes) {
        const { bytesWritten } = await file.write(piece, 0, Math.min(piece.length, wantedBytes - filledBytes), filledBytes);
        filledBytes += bytesWritten;
      }
      return undefined;
    } catch (error) {
      return error;
    }
  };

  return {
    async ensure(bytes) {
      if (hasPlenty(bytes)) return;
      const used = usedBytes();
      filledBytes = Math.max(filledBytes, used);
      if (filledBytes >= used + bytes) return;
      const error = await fillTo(used + bytes + spareBytes);
      if (filledBytes < used + bytes) throw noSpace(error);
    },
    async close() {
      await file?.close();
    },
  };
}
