/** SPDY/3.1's frames, as far as streaming servers of container runtimes use them. Source: SPDY protocol draft 3.1. */
export type Frame =
  | { readonly type: 'data'; readonly streamId: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly type: 'reply'; readonly streamId: number; readonly fin: boolean }
  | { readonly type: 'reset'; readonly streamId: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number; readonly frame: Buffer }
  | { readonly type: 'goaway' }
  | { readonly type: 'other' };

const VERSION = 0x8003; // Control bit and version 3.
const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const FLAG_FIN = 1;
const HEADER_BYTES = 8;
const CANCEL = 5;
/** Frames are sent no larger than this, so that streams take turns. Receivers take 2^24 - 1. */
export const DATA_BYTES_MAX = 32 * 1024;

/**
 * Header blocks of one connection: one zlib stream, cut at its flushes. Written as stored blocks without the preset dictionary, which
 * a decoder uses only when told to: the few short headers are not worth a compressor.
 */
export class HeaderBlocks {
  #begun = false;

  /** Each block ends in an empty stored one, as a sync flush does. */
  next(headers: Readonly<Record<string, string>>): Buffer {
    const words = Object.entries(headers).flat();
    const plain = Buffer.concat([
      uint32(words.length / 2),
      ...words.flatMap((word) => [uint32(Buffer.byteLength(word)), Buffer.from(word)]),
    ]);
    const zlibHeader = this.#begun ? [] : [0x78, 0x01];
    this.#begun = true;
    return Buffer.concat([Buffer.from(zlibHeader), storedBlock(plain), storedBlock(Buffer.alloc(0))]);
  }
}

function storedBlock(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(bytes.length, 1);
  head.writeUInt16LE(~bytes.length & 0xffff, 3);
  return Buffer.concat([head, bytes]);
}

function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}

function control(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

/** @param block - From the connection's {@link HeaderBlocks}, in the order of sending. */
export const synStream = (streamId: number, block: Buffer): Buffer =>
  control(SYN_STREAM, Buffer.concat([uint32(streamId, 0), Buffer.alloc(2), block]));

export const cancelStream = (streamId: number): Buffer => control(RST_STREAM, uint32(streamId, CANCEL));

/** @param fin - Nothing more comes on this stream from here. */
export function dataFrame(streamId: number, data: Buffer, fin: boolean): Buffer {
  const head = uint32(streamId, data.length);
  head[4] = fin ? FLAG_FIN : 0;
  return Buffer.concat([head, data]);
}

/** Cuts what arrives into frames. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  *push(chunk: Buffer): Generator<Frame> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#pending.readUIntBE(5, 3);
      if (this.#pending.length < end) return;
      const frame = this.#pending.subarray(0, end);
      this.#pending = this.#pending.subarray(end);
      yield parse(frame);
    }
  }
}

function parse(frame: Buffer): Frame {
  const payload = frame.subarray(HEADER_BYTES);
  const fin = ((frame[4] ?? 0) & FLAG_FIN) !== 0;
  const first = frame.readUInt32BE(0);
  if (first < 0x8000_0000) return { type: 'data', streamId: first, fin, data: payload };
  const id = payload.length < 4 ? 0 : payload.readUInt32BE(0) & 0x7fff_ffff;
  switch (frame.readUInt16BE(2)) {
    case SYN_REPLY:
      return { type: 'reply', streamId: id, fin };
    case RST_STREAM:
      return { type: 'reset', streamId: id, status: payload.length < 8 ? 0 : payload.readUInt32BE(4) };
    case PING:
      return { type: 'ping', id, frame };
    case GOAWAY:
      return { type: 'goaway' };
    default:
      return { type: 'other' }; // Windows, settings and late headers: runtimes neither send nor heed them.
  }
}
