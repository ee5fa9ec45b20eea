import { blockSize, paddingOf, type TarEntry, type TarEntryType } from './tar-entry.ts';

const flags: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

function ustarBlock(entry: Omit<TarEntry, 'xattrs' | 'type'>, flag: string): Buffer {
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, at: number, length: number): void => {
    const most = 8 ** (length - 1) - 1;
    block.write(
      Math.min(Math.max(0, value), most)
        .toString(8)
        .padStart(length - 1, '0'),
      at,
      'latin1',
    );
  };
  block.write(entry.name.slice(0, 100), 0, 'latin1');
  octal(entry.mode, 100, 8);
  octal(entry.uid, 108, 8);
  octal(entry.gid, 116, 8);
  octal(entry.size, 124, 12);
  octal(entry.mtime, 136, 12);
  block.fill(' ', 148, 156);
  block.write(flag, 156, 'latin1');
  block.write(entry.linkName.slice(0, 100), 157, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  octal(entry.deviceMajor, 329, 8);
  octal(entry.deviceMinor, 337, 8);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function paxRecord(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return `${length}${body}`;
}

/** What does not fit the fixed fields travels in pax records. */
function paxRecords(entry: TarEntry): string {
  let records = '';
  if (entry.name.length > 100) records += paxRecord('path', entry.name);
  if (entry.linkName.length > 100) records += paxRecord('linkpath', entry.linkName);
  if (entry.size >= 8 ** 11) records += paxRecord('size', String(entry.size));
  if (entry.uid >= 8 ** 7) records += paxRecord('uid', String(entry.uid));
  if (entry.gid >= 8 ** 7) records += paxRecord('gid', String(entry.gid));
  for (const [key, value] of entry.xattrs) records += paxRecord(`SCHILY.xattr.${key}`, value);
  return records;
}

/** The header of an entry, and what has to stand before it. Its content and padding follow. */
export function encodeTarHeader(entry: TarEntry): Buffer {
  const records = paxRecords(entry);
  const block = ustarBlock(entry, flags[entry.type]);
  if (records === '') return block;
  const size = records.length;
  const before = ustarBlock({ ...entry, name: 'pax', linkName: '', mode: 0o600, size, deviceMajor: 0, deviceMinor: 0 }, 'x');
  return Buffer.concat([before, Buffer.from(records, 'latin1'), Buffer.alloc(paddingOf(size)), block]);
}

/** The mark at the end of an archive. */
export const tarEnd: Buffer = Buffer.alloc(blockSize * 2);

const plain = { uid: 0, gid: 0, mtime: 0, linkName: '', deviceMajor: 0, deviceMinor: 0, xattrs: new Map<string, string>() };
/** An entry owned by root, without attributes. */
export const newTarEntry = (fields: Pick<TarEntry, 'name' | 'type' | 'mode'> & Partial<TarEntry>): TarEntry => ({
  ...plain,
  size: 0,
  ...fields,
});
