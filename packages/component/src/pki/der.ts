// As much of ASN.1's distinguished encoding rules (ITU-T X.690) as certificates need.

/** One encoded value: tag, length, content. */
export type Der = Uint8Array;

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

function tagged(tag: number, content: Uint8Array): Der {
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

export const sequence = (...items: readonly Der[]): Der => tagged(tags.sequence, Buffer.concat(items));
export const set = (...items: readonly Der[]): Der => tagged(tags.set, Buffer.concat(items));
export const boolean = (value: boolean): Der => tagged(tags.boolean, Buffer.from([value ? 0xff : 0]));
export const octetString = (content: Uint8Array): Der => tagged(tags.octetString, content);
export const utf8String = (text: string): Der => tagged(tags.utf8String, Buffer.from(text, 'utf8'));

/** @param unusedBits - At the end of the last byte: 0 to 7. */
export const bitString = (content: Uint8Array, unusedBits = 0): Der => tagged(tags.bitString, Buffer.from([unusedBits, ...content]));

/** A number that is not negative, most significant byte first. */
export function unsignedInteger(bytes: Uint8Array): Der {
  const first = bytes.findIndex((byte) => byte !== 0);
  const significant = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  // A first bit that is set would make it negative.
  return tagged(tags.integer, (significant[0] ?? 0) < 0x80 ? significant : Buffer.from([0, ...significant]));
}

/** @param dotted - As `2.5.29.15`. */
export function objectIdentifier(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tagged(tags.objectIdentifier, Buffer.from(bytes));
}

/** UTCTime until 2049, GeneralizedTime from then on, as RFC 5280, 4.1.2.5, demands. In whole seconds. */
export function time(atMs: number): Der {
  const digits = new Date(atMs).toISOString().replace(/\.\d+Z$|[-:T]/g, '');
  const isUtcTime = /^(?:19[5-9]|20[0-4])/.test(digits);
  return tagged(isUtcTime ? tags.utcTime : tags.generalizedTime, Buffer.from(`${isUtcTime ? digits.slice(2) : digits}Z`, 'latin1'));
}

/** A value with a context-specific tag. `constructed`: its content is other values. */
export const context = (number: number, content: Uint8Array, constructed: boolean): Der =>
  tagged(0x80 | (constructed ? 0x20 : 0) | number, content);

/** The text form of an object identifier's content. */
export function readObjectIdentifier(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [first = 0, ...rest] = arcs;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...rest].join('.');
}

export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag and length included. */
  readonly whole: Der;
}

/**
 * The values that stand one after the other in `bytes`.
 * @throws {RangeError} when one is cut off.
 */
export function readValues(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const short = bytes[at + 1] ?? 0;
    const lengthSize = short < 0x80 ? 0 : short & 0x7f;
    const length = lengthSize === 0 ? short : bytes.subarray(at + 2, at + 2 + lengthSize).reduce((sum, byte) => sum * 256 + byte, 0);
    const start = at + 2 + lengthSize;
    if (start + length > bytes.length) throw new RangeError('a DER value is cut off');
    values.push({ tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) });
    at = start + length;
  }
  return values;
}
