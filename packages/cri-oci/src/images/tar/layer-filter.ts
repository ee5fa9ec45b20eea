import { RuntimeError } from '@orrery/cri';
import { paddingOf, readableName, type TarEntry } from './tar-entry.ts';
import type { TarHandler } from './tar-reader.ts';
import { encodeTarHeader, newTarEntry, tarEnd } from './tar-writer.ts';

export interface DirectoryAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface LayerFilterOptions {
  /** Attributes that a directory (a path without leading slash, '' for the root) has in the layers below. */
  readonly below: (path: string) => DirectoryAttributes | undefined;
  /** Attribute that makes a directory hide the one below. */
  readonly opaqueXattr: 'trusted.overlay.opaque' | 'user.overlay.opaque';
  readonly ownerOf?: ((entry: TarEntry) => { readonly uid: number; readonly gid: number }) | undefined;
  /** Takes pieces of the archive to extract. */
  readonly emit: (chunk: Buffer) => void;
  /** @default 2,000,000 */
  readonly entriesMax?: number;
}

export interface LayerSummary {
  readonly sizeBytes: number;
  readonly inodes: number;
}

type Kind = 'directory' | 'symlink' | 'file' | 'special' | 'whiteout';
const pathLengthMax = 4096; // PATH_MAX

/**
 * Turns a layer into an archive that is safe to extract into an empty directory: every path lies inside and passes through directories of
 * this layer only, links name what is there, whiteouts are overlayfs's, and directories that are only implied get the attributes that
 * they have below. Anything else is refused by name.
 */
export function newLayerFilter(options: LayerFilterOptions): TarHandler & { finish(): LayerSummary } {
  const { below, opaqueXattr, emit, entriesMax = 2_000_000 } = options;
  const kinds = new Map<string, Kind>(); // What each path is by now.
  const directories = new Map<string, TarEntry>(); // As emitted last: making one opaque emits it again.
  let keeps = false; // Whether content that arrives belongs to what is extracted.
  let contentBytes = 0;
  let sizeBytes = 0;
  let entries = 0;

  const refuse = (name: string, why: string): never => {
    throw new RuntimeError('INVALID_ARGUMENT', `layer entry ${readableName(name)}: ${why}`);
  };
  const send = (entry: TarEntry): void => emit(encodeTarHeader({ ...entry, name: `./${entry.name}`, ...options.ownerOf?.(entry) }));

  function normalised(name: string, what: string): string {
    if (name.length > pathLengthMax) refuse(name.slice(0, 100), `${what} is longer than ${pathLengthMax} bytes`);
    if (name.startsWith('/')) refuse(name, `${what} is absolute`);
    if (name.includes('\0')) refuse(name, `${what} holds a NUL byte`);
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) refuse(name, `${what} leaves the layer ("..")`);
    if (parts.some((part) => part.length > 255)) refuse(name.slice(0, 100), `${what} has a component longer than 255 bytes`);
    return parts.join('/');
  }

  function ensureDirectory(path: string, name: string): void {
    const kind = kinds.get(path);
    if (kind === 'directory') return;
    if (kind !== undefined && kind !== 'whiteout')
      refuse(name, `passes through ${readableName(path)}, which is a ${kind === 'special' ? 'special file' : kind}`);
    if (path !== '') ensureDirectory(parentOf(path), name);
    directory({ ...newTarEntry({ name: path, type: 'directory', mode: 0o755 }), ...below(path) });
  }

  function directory(entry: TarEntry): void {
    const replacesWhiteout = kinds.get(entry.name) === 'whiteout';
    const known = directories.get(entry.name);
    const opaque = replacesWhiteout || known?.xattrs.has(opaqueXattr) === true;
    const xattrs = opaque ? new Map([...entry.xattrs, [opaqueXattr, 'y']]) : entry.xattrs;
    const made = { ...entry, xattrs };
    kinds.set(entry.name, 'directory');
    directories.set(entry.name, made);
    send(made);
  }

  function makeOpaque(path: string): void {
    const entry = directories.get(path);
    if (entry === undefined) return;
    const made = { ...entry, xattrs: new Map([...entry.xattrs, [opaqueXattr, 'y']]) };
    directories.set(path, made);
    send(made);
  }

  function whiteout(parent: string, hidden: string, name: string): void {
    if (hidden === '' || hidden === '.' || hidden === '..') refuse(name, 'is a whiteout of nothing');
    const path = parent === '' ? hidden : `${parent}/${hidden}`;
    const kind = kinds.get(path);
    if (kind === 'directory') {
      makeOpaque(path);
      return;
    }
    if (kind !== undefined) return; // What this layer has here hides the same below.
    kinds.set(path, 'whiteout');
    send(newTarEntry({ name: path, type: 'character', mode: 0 }));
  }

  function other(entry: TarEntry, kind: Kind): void {
    const before = kinds.get(entry.name);
    if (before !== undefined && before !== kind && before !== 'whiteout')
      refuse(entry.name, `appears twice, as a ${before} and as a ${kind}`);
    kinds.set(entry.name, kind);
    send(entry);
    keeps = true;
  }

  function place(entry: TarEntry): void {
    if (entry.type === 'directory') {
      const before = kinds.get(entry.name);
      if (before !== undefined && before !== 'directory' && before !== 'whiteout')
        refuse(entry.name, `appears twice, as a ${before} and as a directory`);
      directory(entry);
      return;
    }
    if (entry.name === '') refuse(entry.name, 'the root of a layer must be a directory');
    if (entry.type === 'hardlink') {
      hardlink(entry);
      return;
    }
    if (entry.type === 'symlink') {
      other(entry, 'symlink');
      return;
    }
    if (entry.type === 'file' || entry.type === 'fifo') {
      other(entry, entry.type === 'file' ? 'file' : 'special');
      return;
    }
    if (entry.name.startsWith('dev/')) return; // The container gets a /dev of its own.
    refuse(entry.name, 'is a device node');
  }

  function hardlink(entry: TarEntry): void {
    const target = normalised(entry.linkName, 'the target of the hard link');
    const kind = kinds.get(target);
    if (kind !== 'file' && kind !== 'symlink' && kind !== 'special') {
      throw new RuntimeError(
        'INVALID_ARGUMENT',
        `layer entry ${readableName(entry.name)}: is a hard link to ${readableName(target)}, which is no file of this layer before it`,
      );
    }
    if (target === entry.name) return;
    other({ ...entry, linkName: `./${target}` }, kind);
  }

  return {
    entry(raw) {
      entries += 1;
      if (entries > entriesMax) refuse(raw.name, `is one of more than ${entriesMax} entries`);
      keeps = false;
      contentBytes = raw.size;
      const name = normalised(raw.name, 'the path');
      const parent = parentOf(name);
      const base = name.slice(parent === '' ? 0 : parent.length + 1);
      if (name !== '') ensureDirectory(parent, name);
      if (base === '.wh..wh..opq') {
        makeOpaque(parent);
        return;
      }
      if (base.startsWith('.wh..wh.')) return; // What AUFS kept for itself.
      if (base.startsWith('.wh.')) {
        whiteout(parent, base.slice(4), name);
        return;
      }
      place({ ...raw, name, xattrs: safeXattrs(raw.xattrs) });
    },
    data(chunk) {
      if (!keeps) return;
      sizeBytes += chunk.length;
      emit(chunk);
    },
    entryEnd() {
      const padding = keeps ? paddingOf(contentBytes) : 0;
      if (padding > 0) emit(Buffer.alloc(padding));
    },
    finish() {
      if (!kinds.has('')) ensureDirectory('', '');
      emit(tarEnd);
      return { sizeBytes, inodes: kinds.size };
    },
  };
}

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

/** Capabilities of files and what users set; never what overlayfs reads to find other files. */
function safeXattrs(xattrs: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  if (xattrs.size === 0) return xattrs;
  return new Map(
    [...xattrs].filter(([key]) => key === 'security.capability' || (key.startsWith('user.') && !key.startsWith('user.overlay.'))),
  );
}
