const startBytes = 1024;
const shortChars = 32;
const two32 = 4_294_967_296;

/**
 * Writes the wire format back to front: what is written first ends up last. So a message's length is known when its prefix is
 * written, and nothing is measured twice.
 */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(startBytes);
  /** First written byte; everything from here to the end of the buffer is the message. */
  #at = startBytes;

  /** Bytes written so far: the difference of two readings is the length of what lies between. */
  get length(): number {
    return this.#buffer.length - this.#at;
  }

  /** A copy. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#at));
  }

  #reserve(count: number): void {
    if (this.#at >= count) return;
    const used = this.length;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, used + count + startBytes));
    this.#buffer.copy(grown, grown.length - used, this.#at);
    this.#at = grown.length - used;
    this.#buffer = grown;
  }

  /** @param value - A safe integer; negative ones take ten bytes, as int32 and int64 do. */
  varint(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.#reserve(1);
      this.#buffer[--this.#at] = value;
    } else if (value < 0) this.#varintLong(BigInt.asUintN(64, BigInt(value)));
    else if (value >= two32) this.#varintLong(BigInt(value));
    else this.#varintShort(value);
  }

  #varintShort(value: number): void {
    const size = value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
    this.#reserve(size);
    this.#at -= size;
    let rest = value;
    for (let i = 0; i < size; i++) {
      this.#buffer[this.#at + i] = i === size - 1 ? rest : (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
  }

  #varintLong(value: bigint): void {
    const out: number[] = [];
    let rest = value;
    while (rest >= 0x80n) {
      out.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    out.push(Number(rest));
    this.bytes(Uint8Array.from(out));
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#at -= value.length;
    this.#buffer.set(value, this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  /** With its length before it. */
  string(value: string): void {
    if (value.length <= shortChars && this.#shortText(value)) return;
    const size = Buffer.byteLength(value);
    this.#reserve(size);
    this.#at -= size;
    this.#buffer.write(value, this.#at, size, 'utf8');
    this.varint(size);
  }

  /** Names and words are short and ASCII: a loop beats two calls into native code. False: it is not ASCII, nothing is written. */
  #shortText(value: string): boolean {
    const size = value.length;
    this.#reserve(size);
    const start = this.#at - size;
    for (let i = 0; i < size; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#buffer[start + i] = code;
    }
    this.#at = start;
    this.varint(size);
    return true;
  }

  tag(number: number, wireType: 0 | 1 | 2): void {
    this.varint(number * 8 + wireType);
  }
}
