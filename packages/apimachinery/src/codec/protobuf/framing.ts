import { newBadRequest } from '../../errors/status-error.ts';

const headerBytes = 4;

/** Cuts a stream of length-prefixed frames, as protobuf watches are, back into frames. Feed it what arrives. */
export class FrameSplitter {
  readonly #frameBytesMax: number;
  /** Received but not yet a whole frame. Bounded by the largest frame. */
  #pending: Buffer = Buffer.alloc(0);

  /** @param frameBytesMax - A larger frame ends the stream with an error. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Whole frames, without their lengths. @throws StatusError BadRequest - A frame is too large. */
  push(chunk: Uint8Array): Buffer[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const frames: Buffer[] = [];
    let at = 0;
    while (this.#pending.length - at >= headerBytes) {
      const size = this.#pending.readUInt32BE(at);
      if (size > this.#frameBytesMax) throw newBadRequest(`a watch frame of ${size} bytes is larger than ${this.#frameBytesMax}`);
      if (this.#pending.length - at - headerBytes < size) break;
      frames.push(this.#pending.subarray(at + headerBytes, at + headerBytes + size));
      at += headerBytes + size;
    }
    this.#pending = this.#pending.subarray(at);
    return frames;
  }
}
