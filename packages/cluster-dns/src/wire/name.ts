const LABEL_BYTES_MAX = 63;
const NAME_BYTES_MAX = 255;

/** A name as it stands in a question. */
export interface ParsedName {
  /** From left to right, in lower case; dots and backslashes within a label are escaped by a backslash. Empty for the root. */
  readonly labels: readonly string[];
  /** Offset after the name. */
  readonly end: number;
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

function label(packet: Buffer, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 1) {
    let byte = packet[at] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) byte += 0x20;
    if (byte === DOT || byte === BACKSLASH) text += '\\';
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Reads a name that is written out. Undefined when it is cut off, too long, or compressed: questions have nothing to point to. */
export function parseName(packet: Buffer, start: number): ParsedName | undefined {
  const labels: string[] = [];
  let at = start;
  while (at < packet.length) {
    const length = packet[at] ?? 0;
    at += 1;
    if (at + length - start > NAME_BYTES_MAX || length > LABEL_BYTES_MAX) return undefined;
    if (length === 0) return { labels, end: at };
    if (at + length > packet.length) return undefined;
    labels.push(label(packet, at, at + length));
    at += length;
  }
  return undefined;
}

/** Offset after a name that may be compressed; undefined when it is cut off. */
export function skipName(packet: Buffer, start: number): number | undefined {
  for (let at = start; at < packet.length; ) {
    const length = packet[at] ?? 0;
    if ((length & 0xc0) === 0xc0) return at + 2 <= packet.length ? at + 2 : undefined;
    if (length > LABEL_BYTES_MAX) return undefined;
    at += 1 + length;
    if (length === 0) return at;
  }
  return undefined;
}

/** The wire form of a name such as `a.b.c`; undefined when it is no name: an empty or too long label, too long in all. */
export function encodeName(name: string): Buffer | undefined {
  const labels = name === '' || name === '.' ? [] : name.replace(/\.$/, '').split('.');
  const parts: Buffer[] = [];
  let total = 1;
  for (const text of labels) {
    const bytes = Buffer.from(text, 'latin1');
    if (bytes.length === 0 || bytes.length > LABEL_BYTES_MAX) return undefined;
    total += 1 + bytes.length;
    parts.push(Buffer.of(bytes.length), bytes);
  }
  return total > NAME_BYTES_MAX ? undefined : Buffer.concat([...parts, Buffer.of(0)], total);
}
