import { CLASS_IN, flag, HEADER_BYTES, recordType, responseCode, UDP_BYTES_DEFAULT } from './constants.ts';
import { parseName, skipName } from './name.ts';

export interface Edns {
  /** What the client can take over UDP, at least 512. */
  readonly udpBytes: number;
  readonly version: number;
  /** The client wants DNSSEC records. */
  readonly dnssecOk: boolean;
}

/** One question, as far as the server needs to know it. */
export interface Query {
  readonly id: number;
  readonly flags: number;
  /** See `ParsedName.labels`. */
  readonly labels: readonly string[];
  readonly type: number;
  readonly class: number;
  /** Offset after the question: its bytes from 12 to here come back as they were written, capitals included. */
  readonly questionEnd: number;
  readonly edns: Edns | undefined;
}

/** A message that is no question we can answer, and what its sender is told. */
export interface BadQuery {
  readonly id: number;
  readonly flags: number;
  readonly refusal: typeof responseCode.formatError | typeof responseCode.notImplemented;
}

/** Undefined: a message that must not be answered at all (too short, or an answer itself: answering those makes loops). */
export function parseQuery(packet: Buffer): Query | BadQuery | undefined {
  if (packet.length < HEADER_BYTES) return undefined;
  const id = packet.readUInt16BE(0);
  const flags = packet.readUInt16BE(2);
  if ((flags & flag.response) !== 0) return undefined;
  if (((flags >> 11) & 0xf) !== 0) return { id, flags, refusal: responseCode.notImplemented };
  return parseQuestion(packet, id, flags) ?? { id, flags, refusal: responseCode.formatError };
}

function parseQuestion(packet: Buffer, id: number, flags: number): Query | undefined {
  const [answers, authorities, additionals] = [packet.readUInt16BE(6), packet.readUInt16BE(8), packet.readUInt16BE(10)];
  // A transaction signature and OPT are all that may follow a question; a zone transfer brings one authority record.
  if (packet.readUInt16BE(4) !== 1 || answers > 0 || authorities > 1 || additionals > 2) return undefined;
  const name = parseName(packet, HEADER_BYTES);
  if (name === undefined || name.end + 4 > packet.length) return undefined;
  const edns = parseEdns(packet, name.end + 4, authorities + additionals);
  if (edns === 'malformed') return undefined;
  return {
    id,
    flags,
    labels: name.labels,
    type: packet.readUInt16BE(name.end),
    class: packet.readUInt16BE(name.end + 2),
    questionEnd: name.end + 4,
    edns,
  };
}

function parseEdns(packet: Buffer, start: number, records: number): Edns | undefined | 'malformed' {
  let edns: Edns | undefined;
  let at = start;
  for (let left = records; left > 0; left -= 1) {
    const nameEnd = skipName(packet, at);
    if (nameEnd === undefined || nameEnd + 10 > packet.length) return 'malformed';
    const end = nameEnd + 10 + packet.readUInt16BE(nameEnd + 8);
    if (end > packet.length) return 'malformed';
    if (packet.readUInt16BE(nameEnd) === recordType.OPT) {
      if (edns !== undefined || nameEnd !== at + 1) return 'malformed'; // RFC 6891: one, owned by the root.
      edns = {
        udpBytes: Math.max(UDP_BYTES_DEFAULT, packet.readUInt16BE(nameEnd + 2)),
        version: packet[nameEnd + 5] ?? 0,
        dnssecOk: ((packet[nameEnd + 6] ?? 0) & 0x80) !== 0,
      };
    }
    at = end;
  }
  return edns;
}

/** A question, without EDNS where `edns` is absent. The name is sent as given. */
export function encodeQuery(query: {
  readonly id: number;
  readonly flags: number;
  /** Name, type and class as bytes. */
  readonly question: Buffer;
  readonly edns?: { readonly udpBytes: number; readonly dnssecOk: boolean };
}): Buffer {
  const packet = Buffer.alloc(HEADER_BYTES + query.question.length + (query.edns === undefined ? 0 : 11));
  packet.writeUInt16BE(query.id, 0);
  packet.writeUInt16BE(query.flags, 2);
  packet.writeUInt16BE(1, 4);
  query.question.copy(packet, HEADER_BYTES);
  if (query.edns !== undefined) {
    packet.writeUInt16BE(1, 10);
    writeOpt(packet, HEADER_BYTES + query.question.length, query.edns.udpBytes, 0, query.edns.dnssecOk);
  }
  return packet;
}

/** Bytes of an OPT record without options. */
export const OPT_BYTES = 11;

/** Writes an OPT record without options (RFC 6891) at `at`; `upperCode` are the upper eight bits of the response code. */
export function writeOpt(packet: Buffer, at: number, udpBytes: number, upperCode: number, dnssecOk: boolean): void {
  packet[at] = 0;
  packet.writeUInt16BE(recordType.OPT, at + 1);
  packet.writeUInt16BE(udpBytes, at + 3);
  packet[at + 5] = upperCode;
  packet[at + 6] = 0;
  packet.writeUInt16BE(dnssecOk ? 0x8000 : 0, at + 7);
  packet.writeUInt16BE(0, at + 9);
}

/** Name, type and class of a question as bytes; undefined when `name` is no name. */
export function encodeQuestion(name: Buffer, type: number): Buffer {
  const question = Buffer.alloc(name.length + 4);
  name.copy(question);
  question.writeUInt16BE(type, name.length);
  question.writeUInt16BE(CLASS_IN, name.length + 2);
  return question;
}
