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

/** `bytes` stay in use by the entry. @throws {StorageError} `Corrupt` when they are not what was written. */
export function decodeRecord(key: string, bytes: Buffer): Record {
  const isSound = bytes.length >= headBytes && bytes.readUInt32BE(0) === crc32(bytes.subarray(4));
  if (!isSound) throw new StorageError('Corrupt', `the stored entry of ${key} is damaged`);
  const entry: KeyValue = {
    key,
    value: bytes.subarray(headBytes),
    createRevision: bytes.readUIntBE(5, 6),
    modRevision: bytes.readUIntBE(11, 6),
    lease: bytes.readUIntBE(17, 6),
  };
  return { type: bytes[4] === types.delete ? 'delete' : 'put', entry, previousRevision: bytes.readUIntBE(23, 6) };
}
