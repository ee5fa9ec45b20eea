import { paddingOf, type TarEntry } from '../images/tar/tar-entry.ts';
import { encodeTarHeader, newTarEntry, tarEnd } from '../images/tar/tar-writer.ts';

export type ArchiveEntry = Partial<TarEntry> & { readonly name: string; readonly content?: Buffer | string };

/** A tar of any entries, hostile ones too. */
export function tarArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.flatMap(({ content = '', ...fields }) => {
    const bytes = Buffer.from(content);
    const entry = newTarEntry({ type: 'file', mode: 0o644, ...fields, size: fields.size ?? bytes.length });
    return [encodeTarHeader(entry), bytes, Buffer.alloc(paddingOf(bytes.length))];
  });
  return Buffer.concat([...parts, tarEnd]);
}
