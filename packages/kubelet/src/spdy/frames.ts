/** Frames of SPDY/3.1. */
export const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const FLAG_FIN = 0x01;
const CONTROL = 0x8000;
const VERSION = 3;
const HEADER_BYTES = 8;

export interface ControlFrame {
  readonly kind: 'control';
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
}
export interface DataFrame {
  readonly kind: 'data';
  readonly streamId: number;
  readonly flags: number;
  readonly payload: Buffer;
}
export type SpdyFrame = ControlFrame | DataFrame;

/** Cuts bytes into frames; keeps what is not whole yet. @throws {Error} for another version of SPDY. */
export function newFrameSplitter(): (chunk: Buffer) => readonly SpdyFrame[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: SpdyFrame[] = [];
    let at = 0;
    while (data.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + data.readUIntBE(at + 5, 3);
      if (end > data.length) break;
      frames.push(frameAt(data, at, end));
      at = end;
    }
    rest = data.subarray(at);
    return frames;
  };
}

function frameAt(data: Buffer, at: number, end: number): SpdyFrame {
  const first = data.readUInt16BE(at);
  const flags = data.readUInt8(at + 4);
  const payload = data.subarray(at + HEADER_BYTES, end);
  if ((first & CONTROL) === 0) return { kind: 'data', streamId: data.readUInt32BE(at), flags, payload };
  if ((first & 0x7fff) !== VERSION) throw new Error(`SPDY version ${first & 0x7fff} is not supported`);
  return { kind: 'control', type: data.readUInt16BE(at + 2), flags, payload };
}

export function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt16BE(CONTROL | VERSION, 0);
  frame.writeUInt16BE(type, 2);
  frame.writeUInt8(flags, 4);
  frame.writeUIntBE(payload.length, 5, 3);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

/** The head of a data frame; its payload follows. */
export function dataFrameHead(streamId: number, flags: number, length: number): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(length, 5, 3);
  return head;
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}
