/** One line of fstab(5). */
export interface FstabEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
}

const escaped = (field: string): string =>
  field.replace(/[\s\\#]/g, (char) => [...Buffer.from(char)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''));

/** A table for `mount --all`, which makes the mounts in the order of the lines. */
export const fstab = (entries: readonly FstabEntry[]): string =>
  entries.map(({ source, target, type, options }) => `${[source, target, type, options].map(escaped).join(' ')} 0 0\n`).join('');
