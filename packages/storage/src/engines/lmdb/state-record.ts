import { crc32 } from 'node:zlib';
import { StorageError } from '../../store.ts';

/** What a store is, beside its entries. */
export interface StoreState {
  readonly revision: number;
  readonly compactedRevision: number;
  /** Everything below this that nobody can read any more is gone. At most `compactedRevision`, or 2 when nothing was compacted. */
  readonly trimmedRevision: number;
  /** The highest lease that was ever granted. */
  readonly leaseMax: number;
}

export const emptyState: StoreState = { revision: 1, compactedRevision: 0, trimmedRevision: 2, leaseMax: 0 };

/** CRC-32 of the rest, then four numbers of 6 bytes, big-endian. */
const stateBytes = 28;

export function encodeState(state: StoreState): Buffer {
  const bytes = Buffer.alloc(stateBytes);
  bytes.writeUIntBE(state.revision, 4, 6);
  bytes.writeUIntBE(state.compactedRevision, 10, 6);
  bytes.writeUIntBE(state.trimmedRevision, 16, 6);
  bytes.writeUIntBE(state.leaseMax, 22, 6);
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** @throws {StorageError} `Corrupt` when the bytes are not what was written. */
export function decodeState(bytes: Buffer): StoreState {
  if (bytes.length !== stateBytes || bytes.readUInt32BE(0) !== crc32(bytes.subarray(4))) {
    throw new StorageError('Corrupt', "the store's own record is damaged");
  }
  return {
    revision: bytes.readUIntBE(4, 6),
    compactedRevision: bytes.readUIntBE(10, 6),
    trimmedRevision: bytes.readUIntBE(16, 6),
    leaseMax: bytes.readUIntBE(22, 6),
  };
}
