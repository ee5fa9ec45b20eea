/** A file as it is packed. */
export interface ArchiveFile {
  /** Relative, with forward slashes. */
  readonly path: string;
  readonly content: Uint8Array;
  /** @default 0o644 */
  readonly mode?: number;
}

const BLOCK = 512;

/** A tar archive (ustar, with pax headers for long names) that depends on nothing but its files: sorted, without times and owners. */
export function tarOf(files: readonly ArchiveFile[]): Buffer {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const chunks = sorted.flatMap(({ path, content, mode = 0o644 }) => {
    const name = Buffer.from(path);
    if (name.length <= 100) return [header(name, content.length, mode, '0'), ...padded(content)];
    const record = paxRecord(`path=${path}`);
    return [
      header(Buffer.from('pax'), record.length, 0o644, 'x'),
      ...padded(record),
      header(name.subarray(0, 100), content.length, mode, '0'),
      ...padded(content),
    ];
  });
  return Buffer.concat([...chunks, Buffer.alloc(2 * BLOCK)]);
}

/** `<length> key=value\n`, where the length counts itself. */
function paxRecord(text: string): Buffer {
  const rest = Buffer.byteLength(text) + 2;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.from(`${length} ${text}\n`);
}

function header(name: Buffer, size: number, mode: number, type: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0);
  const octal = (value: number, at: number, width: number): void => {
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  block[155] = 0x20;
  return block;
}

const padded = (content: Uint8Array): Uint8Array[] => [content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
