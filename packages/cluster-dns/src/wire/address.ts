import { parseCidr, parseIp } from '@orrery/apimachinery';

/** The 4 or 16 bytes of an address; undefined when it is none. */
export function addressBytes(text: string): Buffer | undefined {
  const address = parseIp(text);
  return address && Buffer.from(address.bytes);
}

/** Equal for two spellings of one address. */
export const addressKey = (bytes: Buffer): string => bytes.toString('hex');

/** A range of addresses such as `10.96.0.0/12`. */
export interface ByteRange {
  readonly base: Buffer;
  readonly prefixBits: number;
}

/** @throws {RangeError} when `text` is no range. */
export function parseByteRange(text: string): ByteRange {
  const range = parseCidr(text);
  if (range === undefined) throw new RangeError(`${JSON.stringify(text)} is not a CIDR such as 10.96.0.0/12`);
  return { base: Buffer.from(range.address.bytes), prefixBits: range.length };
}

export function inRange(address: Buffer, { base, prefixBits }: ByteRange): boolean {
  if (address.length !== base.length) return false;
  for (let bit = 0; bit < prefixBits; bit += 8) {
    const mask = prefixBits - bit >= 8 ? 0xff : 0xff & (0xff << (8 - (prefixBits - bit)));
    if (((address[bit >> 3] ?? 0) & mask) !== ((base[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}
