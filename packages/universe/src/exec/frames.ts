import { LaunchProblem } from '../options/settings.ts';

/** Opcodes of RFC 6455. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly final: boolean;
  readonly payload: Buffer;
}

/** One final frame, masked as a client's must be. @param mask - Four bytes, unpredictable for whoever chose the payload. */
export function encodeFrame(opcode: number, payload: Uint8Array, mask: Uint8Array): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extra + 4 + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  const start = 2 + extra + 4;
  frame.set(mask.subarray(0, 4), start - 4);
  for (let index = 0; index < length; index += 1) frame[start + index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  return frame;
}

/** Longest message that a server of ours or of Kubernetes sends by far. */
const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;

/** Cuts bytes as they arrive into frames. The returned function throws {@link LaunchProblem} at what is no WebSocket. */
export function newFrameReader(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const size = sizeOf(rest);
      if (size === undefined || rest.length < size.header + size.payload) return frames;
      const first = rest[0] ?? 0;
      frames.push({ opcode: first & 0x0f, final: first >= 0x80, payload: rest.subarray(size.header, size.header + size.payload) });
      rest = rest.subarray(size.header + size.payload);
    }
  };
}

/** Undefined: more bytes are needed to know. */
function sizeOf(bytes: Buffer): { readonly header: number; readonly payload: number } | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  if ((first & 0x70) !== 0 || second >= 0x80) throw new LaunchProblem('the API server broke the WebSocket protocol');
  const extra = second < 126 ? 0 : second === 126 ? 2 : 8;
  if (bytes.length < 2 + extra) return undefined;
  const payload = extra === 0 ? second : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (payload > PAYLOAD_BYTES_MAX) throw new LaunchProblem(`the API server sent a message of ${payload} bytes`);
  return { header: 2 + extra, payload };
}
