import { ProtobufProblem } from './problem.ts';

const two32 = 4_294_967_296;
const shortBytes = 16;
const varintBytesMax = 10; // 64 bits in groups of 7.

/** Reads the wire format out of a slice of bytes. Never reads outside the slice, whatever the bytes say. */
export class WireReader {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  /** Of the field that {@link next} has begun. */
  number = 0;
  wireType = 0;
  /** Upper half of the last varint. */
  #high = 0;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Lower 32 bits as unsigned; the upper half stays in `#high`. */
  #varint(): number {
    if (this.at < this.end) {
      const byte = this.bytes[this.at] ?? 0;
      if (byte < 0x80) {
        this.at++;
        this.#high = 0;
        return byte;
      }
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let low = 0;
    let high = 0;
    for (let i = 0; i < varintBytesMax; i++) {
      if (this.at >= this.end) throw new ProtobufProblem('unexpected EOF');
      const byte = this.bytes[this.at++] ?? 0;
      const bits = byte & 0x7f;
      if (i < 4) low += bits * 2 ** (7 * i);
      else if (i === 4) {
        low += (bits & 0x0f) * 2 ** 28;
        high = bits >>> 4;
      } else high += bits * 2 ** (7 * i - 32);
      if (byte < 0x80) {
        this.#high = high % two32; // Bits beyond 64 are lost, as in Go.
        return low;
      }
    }
    throw new ProtobufProblem('proto: integer overflow');
  }

  /** Reads the next field's number and wire type. False at the end. @param message - Named in the error. */
  next(message: string): boolean {
    if (this.at >= this.end) return false;
    const tag = this.#varint();
    this.number = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.number <= 0) throw new ProtobufProblem(`proto: ${message}: illegal tag ${this.number} (wire type ${this.wireType})`);
    return true;
  }

  int32(): number {
    return this.#varint() | 0;
  }

  /** Inexact beyond 2^53. */
  int64(): number {
    const low = this.#varint();
    return (this.#high | 0) * two32 + low;
  }

  bool(): boolean {
    return this.#varint() !== 0 || this.#high !== 0;
  }

  double(): number {
    if (this.end - this.at < 8) throw new ProtobufProblem('unexpected EOF');
    const value = this.bytes.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  #length(): number {
    const length = this.#varint();
    if (this.#high !== 0 || length > 0x7fff_ffff) throw new ProtobufProblem('proto: negative length found during unmarshaling');
    if (this.at + length > this.end) throw new ProtobufProblem('unexpected EOF');
    return length;
  }

  /** A length-delimited field as a reader of its own. */
  slice(): WireReader {
    const length = this.#length();
    const start = this.at;
    this.at = start + length;
    return new WireReader(this.bytes, start, this.at);
  }

  /** Invalid UTF-8 becomes U+FFFD. */
  string(): string {
    const length = this.#length();
    const start = this.at;
    this.at += length;
    return length <= shortBytes ? this.#shortText(start) : this.bytes.toString('utf8', start, this.at);
  }

  /** Names and words are short and ASCII: a loop beats a call into native code. */
  #shortText(start: number): string {
    let text = '';
    for (let i = start; i < this.at; i++) {
      const byte = this.bytes[i] ?? 0;
      if (byte >= 0x80) return this.bytes.toString('utf8', start, this.at);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** A view, not a copy. */
  raw(): Buffer {
    const { at, end } = this.slice();
    return this.bytes.subarray(at, end);
  }

  /** Passes over the field that {@link next} has begun. */
  skip(): void {
    let depth = 0;
    let type = this.wireType;
    for (;;) {
      if (type === 0) this.#varint();
      else if (type === 1) this.#advance(8);
      else if (type === 2) this.slice();
      else if (type === 3) depth++;
      else if (type === 4) {
        if (depth === 0) throw new ProtobufProblem('proto: unexpected end of group');
        depth--;
      } else if (type === 5) this.#advance(4);
      else throw new ProtobufProblem(`proto: illegal wireType ${type}`);
      if (depth === 0) return;
      type = this.#varint() % 8;
    }
  }

  #advance(count: number): void {
    if (this.at + count > this.end) throw new ProtobufProblem('unexpected EOF');
    this.at += count;
  }
}
