export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** One entry. Strings are bytes (latin1), so that names which are no UTF-8 stay what they are. */
export interface TarEntry {
  readonly name: string;
  readonly type: TarEntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow. */
  readonly size: number;
  /** Seconds since the epoch, whole. */
  readonly mtime: number;
  readonly linkName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: ReadonlyMap<string, string>;
}

export const blockSize = 512;
/** Bytes up to the next block. */
export const paddingOf = (size: number): number => (blockSize - (size % blockSize)) % blockSize;
/** For messages: the name as people read it. */
export const readableName = (name: string): string => JSON.stringify(Buffer.from(name, 'latin1').toString('utf8'));
