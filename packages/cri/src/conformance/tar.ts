/** One entry of a tar: a file unless it says otherwise. */
export interface TarItem {
  readonly name: string;
  readonly content?: Buffer | string;
  readonly mode?: number;
  readonly linkTo?: string;
  readonly directory?: boolean;
}

const BLOCK_BYTES = 512;

/** A ustar archive. Source: POSIX.1-1988, ustar interchange format. */
export function tar(items: readonly TarItem[]): Buffer {
  const parts = items.flatMap((item) => {
    const content = Buffer.from(item.content ?? '');
    return [header(item, content.length), content, Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function header({ name, mode = 0o644, linkTo, directory = false }: TarItem, size: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, width: number): void => void block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at);
  block.write(directory ? `${name}/` : name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148); // The sum counts its own field as spaces.
  block.write(directory ? '5' : linkTo === undefined ? '0' : '1', 156);
  block.write(linkTo ?? '', 157);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
