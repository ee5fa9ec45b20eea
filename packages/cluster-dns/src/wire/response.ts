import { flag, HEADER_BYTES, type ResponseCode, TCP_BYTES_MAX, UDP_BYTES_MAX } from './constants.ts';
import { encodeName } from './name.ts';
import { type BadQuery, OPT_BYTES, type Query, writeOpt } from './query.ts';
import type { ResourceRecord } from './record.ts';

export interface Response {
  readonly code: ResponseCode;
  /** The answer comes from a zone of our own. */
  readonly authoritative: boolean;
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
  readonly additionals?: readonly ResourceRecord[];
}

/** Writes records one after another into one buffer, and remembers where names stand. */
interface Writer {
  readonly packet: Buffer;
  readonly limit: number;
  readonly names: Map<string, number>;
  length: number;
}

const POINTER_TO_QUESTION = 0xc000 | HEADER_BYTES;
const POINTER_OFFSET_MAX = 0x3fff;

/** The server is one thread: every message is written here, then copied out. */
const scratch = Buffer.alloc(TCP_BYTES_MAX);

/**
 * The answer to `query`, whose bytes are `packet`. When it does not fit into `limitBytes`, as many answers as do are sent with the bit
 * that says so (TC); additional records are left out without saying.
 */
export function encodeResponse(packet: Buffer, query: Query, response: Response, limitBytes: number): Buffer {
  const writer: Writer = {
    packet: scratch,
    limit: limitBytes - (query.edns === undefined ? 0 : OPT_BYTES),
    names: new Map(),
    length: query.questionEnd,
  };
  packet.copy(scratch, HEADER_BYTES, HEADER_BYTES, query.questionEnd);
  const { answers = [], authorities = [], additionals = [] } = response;
  const answered = writeRecords(writer, answers);
  const truncated = answered < answers.length;
  const referred = truncated ? 0 : writeRecords(writer, authorities);
  const added = truncated ? 0 : writeRecords(writer, additionals);
  if (query.edns !== undefined) {
    writeOpt(scratch, writer.length, UDP_BYTES_MAX, response.code >> 4, query.edns.dnssecOk);
    writer.length += OPT_BYTES;
  }
  scratch.writeUInt16BE(query.id, 0);
  scratch.writeUInt16BE(
    flag.response |
      (query.flags & (flag.recursionDesired | flag.checkingDisabled)) |
      (response.authoritative ? flag.authoritative : 0) |
      flag.recursionAvailable |
      (truncated ? flag.truncated : 0) |
      (response.code & 0xf),
    2,
  );
  scratch.writeUInt16BE(1, 4);
  scratch.writeUInt16BE(answered, 6);
  scratch.writeUInt16BE(referred, 8);
  scratch.writeUInt16BE(added + (query.edns === undefined ? 0 : 1), 10);
  return Buffer.from(scratch.subarray(0, writer.length));
}

/** How many of `records` fitted. */
function writeRecords(writer: Writer, records: readonly ResourceRecord[]): number {
  let written = 0;
  while (written < records.length && writeRecord(writer, records[written] as ResourceRecord)) written += 1;
  return written;
}

function writeRecord(writer: Writer, record: ResourceRecord): boolean {
  const { packet } = writer;
  const known = record.owner === undefined ? POINTER_TO_QUESTION : pointerTo(writer, record.owner);
  const owner = known === undefined ? (encodeName(record.owner ?? '') ?? Buffer.of(0)) : undefined;
  let at = writer.length;
  if (at + (owner?.length ?? 2) + 10 + record.data.length > writer.limit) return false;
  if (owner === undefined) {
    packet.writeUInt16BE(known ?? 0, at);
    at += 2;
  } else {
    writer.names.set(record.owner ?? '', at);
    at += owner.copy(packet, at);
  }
  packet.writeUInt16BE(record.type, at);
  packet.writeUInt16BE(1, at + 2);
  packet.writeUInt32BE(record.ttl, at + 4);
  packet.writeUInt16BE(record.data.length, at + 8);
  if (record.target !== undefined) writer.names.set(record.target.name, at + 10 + record.target.at);
  writer.length = at + 10 + record.data.copy(packet, at + 10);
  return true;
}

function pointerTo(writer: Writer, name: string): number | undefined {
  const offset = writer.names.get(name);
  return offset === undefined || offset > POINTER_OFFSET_MAX ? undefined : 0xc000 | offset;
}

/** Twelve bytes that say no. */
export function encodeRefusal({ id, flags, refusal }: BadQuery): Buffer {
  const packet = Buffer.alloc(HEADER_BYTES);
  packet.writeUInt16BE(id, 0);
  packet.writeUInt16BE(flag.response | (flags & (0x7800 | flag.recursionDesired)) | refusal, 2);
  return packet;
}
