import { flag, HEADER_BYTES, recordType } from '../wire/constants.ts';
import { skipName } from '../wire/name.ts';
import type { ResourceRecord } from '../wire/record.ts';

/** An answer of another server, taken apart as far as it has to be to keep it and to pass it on. */
export interface ForeignAnswer {
  /** Without the OPT record and what follows it. */
  readonly packet: Buffer;
  readonly code: number;
  readonly questionEnd: number;
  /** Offsets after each record, by section. */
  readonly answerEnds: readonly number[];
  readonly authorityEnds: readonly number[];
  readonly additionalEnds: readonly number[];
  /** Offsets of the 32-bit TTLs. */
  readonly ttlOffsets: readonly number[];
  /** Seconds for which it may be kept: the least TTL, for a "no" also the SOA's last number; 0 when nothing says. */
  readonly keepSeconds: number;
}

interface Draft {
  readonly packet: Buffer;
  readonly ttlOffsets: number[];
  leastTtl: number;
  hasAuthority: boolean;
  at: number;
  optAt: number | undefined;
}

/** Undefined for what is no answer at all, or is broken. */
export function parseForeignAnswer(packet: Buffer): ForeignAnswer | undefined {
  if (packet.length < HEADER_BYTES || packet.readUInt16BE(4) !== 1 || (packet.readUInt16BE(2) & flag.response) === 0) return undefined;
  const nameEnd = skipName(packet, HEADER_BYTES);
  if (nameEnd === undefined || nameEnd + 4 > packet.length) return undefined;
  const draft: Draft = {
    packet,
    ttlOffsets: [],
    leastTtl: Number.POSITIVE_INFINITY,
    hasAuthority: false,
    at: nameEnd + 4,
    optAt: undefined,
  };
  const answerEnds = readSection(draft, packet.readUInt16BE(6));
  const authorityEnds = answerEnds && readSection(draft, packet.readUInt16BE(8));
  const additionalEnds = authorityEnds && readSection(draft, packet.readUInt16BE(10));
  if (answerEnds === undefined || authorityEnds === undefined || additionalEnds === undefined) return undefined;
  const extended = draft.optAt === undefined ? 0 : (packet[draft.optAt + 5] ?? 0);
  const end = draft.optAt ?? draft.at;
  return {
    packet: packet.subarray(0, end),
    code: (extended << 4) | (packet.readUInt16BE(2) & 0xf),
    questionEnd: nameEnd + 4,
    answerEnds,
    authorityEnds,
    additionalEnds,
    ttlOffsets: draft.ttlOffsets.filter((offset) => offset < end),
    keepSeconds: answerEnds.length > 0 || draft.hasAuthority ? draft.leastTtl : 0,
  };
}

/** The offsets after the records of a section; those from an OPT record on are dropped. */
function readSection(draft: Draft, count: number): number[] | undefined {
  const { packet } = draft;
  const ends: number[] = [];
  for (let left = count; left > 0; left -= 1) {
    const nameEnd = skipName(packet, draft.at);
    if (nameEnd === undefined || nameEnd + 10 > packet.length) return undefined;
    const end = nameEnd + 10 + packet.readUInt16BE(nameEnd + 8);
    if (end > packet.length) return undefined;
    noteRecord(draft, nameEnd, end);
    draft.at = end;
    if (draft.optAt === undefined) ends.push(end);
  }
  return ends;
}

function noteRecord(draft: Draft, fixed: number, end: number): void {
  const { packet } = draft;
  const type = packet.readUInt16BE(fixed);
  if (type === recordType.OPT) {
    draft.optAt ??= draft.at;
    return;
  }
  draft.ttlOffsets.push(fixed + 4);
  draft.leastTtl = Math.min(draft.leastTtl, packet.readUInt32BE(fixed + 4));
  if (type !== recordType.SOA || end - fixed < 30) return;
  draft.hasAuthority = true;
  draft.leastTtl = Math.min(draft.leastTtl, packet.readUInt32BE(end - 4));
}

/** The addresses and aliases in the answer section, for use behind a name of our own. Other types are left out: they may hold pointers. */
export function recordsOf({ packet, questionEnd, answerEnds }: ForeignAnswer): ResourceRecord[] {
  return answerEnds.flatMap((end, index) => {
    const owner = readName(packet, answerEnds[index - 1] ?? questionEnd);
    const fixed = skipName(packet, answerEnds[index - 1] ?? questionEnd) ?? end;
    const type = packet.readUInt16BE(fixed);
    const ttl = packet.readUInt32BE(fixed + 4);
    if (owner === undefined) return [];
    const data = type === recordType.A || type === recordType.AAAA ? packet.subarray(fixed + 10, end) : nameData(packet, type, fixed + 10);
    return data === undefined ? [] : [{ owner, type, ttl, data }];
  });
}

function nameData(packet: Buffer, type: number, at: number): Buffer | undefined {
  return type === recordType.CNAME ? wholeName(packet, at) : undefined;
}

/** Uncompressed. */
function wholeName(packet: Buffer, start: number): Buffer | undefined {
  const parts: Buffer[] = [];
  // A name has at most 128 labels, each behind at most one pointer.
  for (let at = start, steps = 0; at < packet.length && steps < 256; steps += 1) {
    const length = packet[at] ?? 0;
    if ((length & 0xc0) === 0xc0) {
      at = ((length & 0x3f) << 8) | (packet[at + 1] ?? 0);
      continue;
    }
    parts.push(packet.subarray(at, at + 1 + length));
    if (length === 0) return Buffer.concat(parts);
    at += 1 + length;
  }
  return undefined;
}

function readName(packet: Buffer, start: number): string | undefined {
  const bytes = wholeName(packet, start);
  if (bytes === undefined || bytes.length > 255) return undefined;
  const labels: string[] = [];
  for (let at = 0; at < bytes.length - 1; at += 1 + (bytes[at] ?? 0))
    labels.push(bytes.toString('latin1', at + 1, at + 1 + (bytes[at] ?? 0)));
  return labels.some((label) => label.includes('.')) ? undefined : labels.join('.').toLowerCase();
}
