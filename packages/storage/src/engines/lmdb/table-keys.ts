const revisionBytes = 6;
/** Bytes of a bound that decide where it lies among keys, which have at most 1,024. */
const boundBytesMax = 1030;

/** A key, and a number that leads or follows it. */
export type NumberedKey = [key: string, number: number];

interface KeyEncoder<K> {
  /** Returns the end. Throws a `RangeError` when `target` has too little room: LMDB's binding brings a new one. */
  writeKey(key: K, target: Buffer, start: number): number;
  readKey(target: Buffer, start: number, end: number): K;
}

function writeText(text: string, target: Buffer, start: number): number {
  const roomBytes = target.length - start;
  // Three bytes a UTF-16 unit at most; counting them is rarely needed.
  if (text.length * 3 > roomBytes && Buffer.byteLength(text) > roomBytes) throw new RangeError('no room for the key');
  return start + target.write(text, start, 'utf8');
}

/** The key's own bytes. */
export const plainKeys: KeyEncoder<string> = {
  writeKey: writeText,
  readKey: (target, start, end) => target.toString('utf8', start, end),
};

/** Ordered by number, then by key. */
export const keysByNumber: KeyEncoder<NumberedKey> = {
  writeKey: ([key, number], target, start) => writeText(key, target, target.writeUIntBE(number, start, revisionBytes)),
  readKey: (target, start, end) => [target.toString('utf8', start + revisionBytes, end), target.readUIntBE(start, revisionBytes)],
};

/** Ordered by key, then by number: a NUL, which no key has, ends the key. A number of -1 stands for the key's bytes alone, as a bound. */
export const keysWithNumber: KeyEncoder<NumberedKey> = {
  writeKey([key, number], target, start) {
    const end = writeText(key, target, start);
    if (number < 0) return end;
    target[end] = 0;
    return target.writeUIntBE(number, end + 1, revisionBytes);
  },
  readKey(target, start, end) {
    const keyEnd = end - revisionBytes - 1;
    return [target.toString('utf8', start, keyEnd), target.readUIntBE(keyEnd + 1, revisionBytes)];
  },
};

/** A bound that LMDB can take, and that parts keys as `bound` does. */
export function clipBound(bound: string): string {
  if (Buffer.byteLength(bound) <= boundBytesMax) return bound;
  const bytes = Buffer.from(bound);
  let end = boundBytesMax;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1; // Not inside a character.
  return bytes.toString('utf8', 0, end);
}
