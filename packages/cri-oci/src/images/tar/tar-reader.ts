import { RuntimeError } from '@orrery/cri';
import { blockSize, paddingOf, type TarEntry, type TarEntryType } from './tar-entry.ts';

/** Gets an archive piece by piece. What it throws ends the reading. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  data(chunk: Buffer): void;
  /** After the last piece of an entry's content. */
  entryEnd(): void;
}

/** Reads an archive that arrives in pieces: POSIX pax, GNU and old ones. */
export interface TarReader {
  write(chunk: Buffer): void;
  /** Some tools (umoci) write neither the last padding nor the end mark. @throws {RuntimeError} when the archive stops inside an entry */
  end(): void;
}

const metadataBytesMax = 1024 * 1024; // One pax record set or long name; ordinary ones have some hundred bytes.
const types: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};
const refuse = (why: string): never => {
  throw new RuntimeError('INVALID_ARGUMENT', `invalid tar header: ${why}`);
};

const textField = (block: Buffer, from: number, length: number): string => {
  const text = block.toString('latin1', from, from + length);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
};

function numberField(block: Buffer, from: number, length: number, what: string): number {
  const first = block[from] ?? 0;
  if ((first & 0x80) === 0) {
    const text = textField(block, from, length).trim();
    if (!/^[0-7]*$/.test(text)) refuse(`${what} is not a number`);
    return text === '' ? 0 : Number.parseInt(text, 8);
  }
  let value = BigInt(first & 0x7f);
  for (let i = 1; i < length; i++) value = (value << 8n) | BigInt(block[from + i] ?? 0);
  if ((first & 0x40) !== 0) value -= 1n << BigInt(length * 8 - 1); // Two's complement of the bits after the marker.
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) refuse(`${what} is out of range`);
  return Number(value);
}

function checkChecksum(block: Buffer): void {
  let sum = 0;
  for (let i = 0; i < blockSize; i++) sum += i >= 148 && i < 156 ? 32 : (block[i] ?? 0);
  if (sum !== numberField(block, 148, 8, 'checksum')) refuse('wrong checksum');
}

/** Records of `length key=value\n`; lengths count bytes. */
export function parsePaxRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  const text = bytes.toString('latin1');
  for (let at = 0; at < text.length; ) {
    const blank = text.indexOf(' ', at);
    const lengthText = blank < 0 ? '' : text.slice(at, blank);
    const end = at + Number(lengthText);
    const equals = text.indexOf('=', blank);
    if (!/^[1-9]\d{0,8}$/.test(lengthText) || end > text.length || text[end - 1] !== '\n' || equals < 0 || equals >= end)
      refuse('damaged pax record');
    records.set(text.slice(blank + 1, equals), text.slice(equals + 1, end - 1));
    at = end;
  }
  return records;
}

export function newTarReader(handler: TarHandler): TarReader {
  let rest: Buffer = Buffer.alloc(0); // What is left of earlier pieces: less than a block.
  let contentLeft = 0; // Bytes of the current entry still to come.
  let paddingLeft = 0;
  let metadata: { kind: string; parts: Buffer[] } | undefined; // A long name or pax records being gathered.
  let globals = new Map<string, string>();
  let pax = new Map<string, string>();
  let longName: string | undefined;
  let longLink: string | undefined;
  let ended = false;

  function header(block: Buffer): void {
    if (block.every((byte) => byte === 0)) {
      ended = true;
      return;
    }
    checkChecksum(block);
    const flag = String.fromCharCode(block[156] ?? 0);
    const size = numberField(block, 124, 12, 'size');
    if (size < 0) refuse('negative size');
    if ('xgLK'.includes(flag)) {
      if (size > metadataBytesMax) refuse('a name or its attributes are longer than 1 MiB');
      metadata = { kind: flag, parts: [] };
      begin(size);
      return;
    }
    const entry = newEntry(block, flag, size);
    pax = new Map();
    longName = undefined;
    longLink = undefined;
    handler.entry(entry);
    begin(entry.size);
  }

  function newEntry(block: Buffer, flag: string, headerSize: number): TarEntry {
    const type = types[flag] ?? refuse(`unsupported entry type ${JSON.stringify(flag)}`);
    const records = globals.size === 0 ? pax : new Map([...globals, ...pax]);
    for (const key of records.keys()) if (key.startsWith('GNU.sparse.')) refuse('sparse files are not supported');
    const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
    const prefix = isUstar ? textField(block, 345, 155) : '';
    const shortName = textField(block, 0, 100);
    const name = records.get('path') ?? longName ?? (prefix === '' ? shortName : `${prefix}/${shortName}`);
    const number = (key: string, value: number): number => {
      const text = records.get(key);
      if (text === undefined) return value;
      if (!/^-?\d{1,15}(\.\d*)?$/.test(text)) refuse(`pax ${key} is not a number`);
      return Math.floor(Number(text));
    };
    const hasContent = type === 'file';
    const size = number('size', headerSize);
    if (size < 0) refuse('negative size');
    const xattrs = new Map(
      [...records].filter(([key]) => key.startsWith('SCHILY.xattr.')).map(([key, value]) => [key.slice(13), value] as const),
    );
    return {
      name,
      type: type === 'file' && name.endsWith('/') ? 'directory' : type,
      mode: numberField(block, 100, 8, 'mode') & 0o7777,
      uid: number('uid', numberField(block, 108, 8, 'uid')),
      gid: number('gid', numberField(block, 116, 8, 'gid')),
      size: hasContent ? size : 0,
      mtime: number('mtime', numberField(block, 136, 12, 'mtime')),
      linkName: records.get('linkpath') ?? longLink ?? textField(block, 157, 100),
      deviceMajor: type === 'character' || type === 'block' ? numberField(block, 329, 8, 'device') : 0,
      deviceMinor: type === 'character' || type === 'block' ? numberField(block, 337, 8, 'device') : 0,
      xattrs,
    };
  }

  function begin(size: number): void {
    contentLeft = size;
    paddingLeft = paddingOf(size);
    if (size === 0) finish();
  }

  function finish(): void {
    if (metadata === undefined) {
      handler.entryEnd();
      return;
    }
    const bytes = Buffer.concat(metadata.parts);
    const text = (): string => bytes.toString('latin1').replace(/\0.*$/s, '');
    if (metadata.kind === 'x') pax = parsePaxRecords(bytes);
    if (metadata.kind === 'g') globals = new Map([...globals, ...parsePaxRecords(bytes)]);
    if (metadata.kind === 'L') longName = text();
    if (metadata.kind === 'K') longLink = text();
    metadata = undefined;
  }

  function content(chunk: Buffer): Buffer {
    const taken = chunk.subarray(0, contentLeft);
    contentLeft -= taken.length;
    if (metadata === undefined) handler.data(taken);
    else metadata.parts.push(taken);
    if (contentLeft === 0) finish();
    return chunk.subarray(taken.length);
  }

  return {
    write(chunk) {
      if (ended) return; // Padding after the end mark.
      let left = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (left.length > 0 && !ended) {
        if (contentLeft > 0) left = content(left);
        else if (paddingLeft > 0) {
          const skipped = Math.min(paddingLeft, left.length);
          paddingLeft -= skipped;
          left = left.subarray(skipped);
        } else {
          if (left.length < blockSize) break;
          const block = left.subarray(0, blockSize);
          left = left.subarray(blockSize);
          header(block);
        }
      }
      rest = ended ? Buffer.alloc(0) : left;
    },
    end() {
      if (contentLeft > 0 || rest.length > 0 || metadata !== undefined) refuse('unexpected end of the archive');
    },
  };
}
