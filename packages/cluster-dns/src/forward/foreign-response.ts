import { flag, HEADER_BYTES, UDP_BYTES_MAX } from '../wire/constants.ts';
import { OPT_BYTES, type Query, writeOpt } from '../wire/query.ts';
import type { ForeignAnswer } from './foreign-answer.ts';

/**
 * Another server's answer, as the client that asked `query` (in `packet`) has to see it: its own number and spelling, TTLs lessened to
 * what is left, and no more than `limitBytes`.
 */
export function encodeForeignResponse(
  packet: Buffer,
  query: Query,
  answer: ForeignAnswer,
  secondsLeft: number,
  limitBytes: number,
): Buffer {
  const optBytes = query.edns === undefined ? 0 : OPT_BYTES;
  const room = limitBytes - optBytes;
  const answers = fitting(answer.answerEnds, room);
  const truncated = answers < answer.answerEnds.length || (answer.packet.readUInt16BE(2) & flag.truncated) !== 0;
  const authorities = truncated ? 0 : fitting(answer.authorityEnds, room);
  const additionals = authorities < answer.authorityEnds.length || truncated ? 0 : fitting(answer.additionalEnds, room);
  const end =
    (additionals > 0 ? answer.additionalEnds[additionals - 1] : undefined) ??
    (authorities > 0 ? answer.authorityEnds[authorities - 1] : undefined) ??
    (answers > 0 ? answer.answerEnds[answers - 1] : undefined) ??
    answer.questionEnd;
  const out = Buffer.allocUnsafe(end + optBytes);
  answer.packet.copy(out, 0, 0, end);
  packet.copy(out, HEADER_BYTES, HEADER_BYTES, query.questionEnd);
  for (const offset of answer.ttlOffsets) {
    if (offset < end) out.writeUInt32BE(Math.min(out.readUInt32BE(offset), secondsLeft), offset);
  }
  const kept = answer.packet.readUInt16BE(2) & flag.authenticData;
  const asked = query.flags & (flag.recursionDesired | flag.checkingDisabled);
  out.writeUInt16BE(query.id, 0);
  out.writeUInt16BE(flag.response | flag.recursionAvailable | kept | asked | (truncated ? flag.truncated : 0) | (answer.code & 0xf), 2);
  out.writeUInt16BE(1, 4);
  out.writeUInt16BE(answers, 6);
  out.writeUInt16BE(authorities, 8);
  out.writeUInt16BE(additionals + (query.edns === undefined ? 0 : 1), 10);
  if (query.edns !== undefined) writeOpt(out, end, UDP_BYTES_MAX, answer.code >> 4, query.edns.dnssecOk);
  return out;
}

const fitting = (ends: readonly number[], room: number): number => {
  let count = ends.length;
  while (count > 0 && (ends[count - 1] ?? 0) > room) count -= 1;
  return count;
};
