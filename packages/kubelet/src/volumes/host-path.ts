import { mkdir, open, stat } from 'node:fs/promises';

type Kind = 'directory' | 'file' | 'socket file' | 'character device' | 'block device';

const wanted: Readonly<Record<string, Kind>> = {
  Directory: 'directory',
  DirectoryOrCreate: 'directory',
  File: 'file',
  FileOrCreate: 'file',
  Socket: 'socket file',
  CharDevice: 'character device',
  BlockDevice: 'block device',
};

async function kindOf(path: string): Promise<Kind | 'other' | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return undefined;
  if (info.isDirectory()) return 'directory';
  if (info.isFile()) return 'file';
  if (info.isSocket()) return 'socket file';
  if (info.isCharacterDevice()) return 'character device';
  return info.isBlockDevice() ? 'block device' : 'other';
}

/** @throws {Error} worded as Go's file calls. */
async function create(path: string, type: string): Promise<void> {
  try {
    if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
    else await (await open(path, 'a', 0o644)).close();
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code;
    const call = type === 'DirectoryOrCreate' ? 'mkdir' : 'open';
    if (code === 'ENOENT') throw new Error(`${call} ${path}: no such file or directory`, { cause: err });
    if (code === 'ENOTDIR') throw new Error(`${call} ${path}: not a directory`, { cause: err });
    throw err;
  }
}

/**
 * Makes the path where its type says so, and looks at what is there. A path without a type that is not there becomes a directory, as
 * container runtimes make it for a mount.
 * @throws {Error} when the path is not of the volume's type. Source: volume/hostpath.
 */
export async function checkHostPath(path: string, type: string | undefined): Promise<void> {
  const found = await kindOf(path);
  if (type === undefined || type === '') {
    if (found === undefined) await create(path, 'DirectoryOrCreate');
    return;
  }
  const kind = wanted[type];
  if (kind === undefined) throw new Error(`${type} is an invalid volume type`);
  if (found === undefined && type.endsWith('OrCreate')) {
    await create(path, type);
    return;
  }
  const fits = kind === 'file' ? found !== undefined && found !== 'directory' : found === kind; // A device or a pipe is a file, too.
  if (!fits) throw new Error(`hostPath type check failed: ${path} is not a ${kind}`);
}
