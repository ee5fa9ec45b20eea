import { crc32 } from 'node:zlib';
import { type KeyValue, StorageError } from '../../store.ts';

/*
 * One write, as it lies in the log and, while it is the newest of its key, in the table of newest entries:
 *
 *   0  checksum of all that follows (CRC-32)
 *   4  type: 1 put, 2 delete
 *   5  createRevision, 6 bytes
 *  11  modRevision, 6 bytes
 *  17  lease, 6 bytes
 *  23  revision of the entry that it superseded, 6 bytes; 0: none
 *  29  3 bytes of 0
 *  32  the value, to the end
 *
 * Numbers are big-endian. The key is in the key of the table.
 */
const headBytes = 32;
const types = { put: 1, delete: 2 } as const;

export interface Record {
  readonly type: 'put' | 'delete';
  /** Of a deletion: no value, and revisions and lease of the deletion's own. */
  readonly entry: KeyValue;
  /** 0: the key did not exist. */
  readonly previousRevision: number;
}

/** A record as it is read, without its key. */
export type StoredRecord = (Omit<KeyValue, 'key'> & Pick<Record, 'type' | 'previousRevision'>) | 'damaged';

export function encodeRecord(record: Record): Buffer {
  const { entry } = record;
  const bytes = Buffer.allocUnsafe(headBytes + entry.value.byteLength);
  bytes[4] = types[record.type];
  bytes.writeUIntBE(entry.createRevision, 5, 6);
  bytes.writeUIntBE(entry.modRevision, 11, 6);
  bytes.writeUIntBE(entry.lease, 17, 6);
  bytes.writeUIntBE(record.previousRevision, 23, 6);
  bytes.fill(0, 29, headBytes);
  bytes.set(entry.value, headBytes);
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

function decodeSound(bytes: Buffer, length: number): StoredRecord {
  const value = Buffer.allocUnsafe(length - headBytes);
  bytes.copy(value, 0, headBytes, length);
  return {
    type: bytes[4] === types.delete ? 'delete' : 'put',
    value,
    createRevision: bytes.readUIntBE(5, 6),
    modRevision: bytes.readUIntBE(11, 6),
    lease: bytes.readUIntBE(17, 6),
    previousRevision: bytes.readUIntBE(23, 6),
  };
}

/**
 * Encoder of a table of records. They are written as `encodeRecord` made them, once for two tables. `bytes` to decode are LMDB's binding's
 * own and change with the next read, so that the value is copied out once.
 */
export const recordEncoder = {
  encode: (bytes: Buffer): Buffer => bytes,
  decode(bytes: Buffer): StoredRecord {
    const { length } = bytes; // Set by the binding; the buffer itself is longer.
    const isSound = length >= headBytes && bytes.readUInt32BE(0) === crc32(bytes.subarray(4, length));
    return isSound ? decodeSound(bytes, length) : 'damaged';
  },
};

const damaged = (key: string): StorageError => new StorageError('Corrupt', `the stored entry of ${key} is damaged`);

/** @throws {StorageError} `Corrupt`. */
export function entryOf(key: string, stored: StoredRecord): KeyValue {
  if (stored === 'damaged') throw damaged(key);
  return { key, value: stored.value, createRevision: stored.createRevision, modRevision: stored.modRevision, lease: stored.lease };
}

/** @throws {StorageError} `Corrupt`. */
export function recordOf(key: string, stored: StoredRecord): Record {
  if (stored === 'damaged') throw damaged(key);
  return { type: stored.type, entry: entryOf(key, stored), previousRevision: stored.previousRevision };
}
