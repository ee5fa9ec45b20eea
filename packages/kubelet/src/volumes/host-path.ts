import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

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

async function create(path: string, type: string): Promise<void> {
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
  if (type !== 'FileOrCreate') return;
  if ((await kindOf(dirname(path))) !== 'directory') throw new Error(`hostPath type check failed: ${path} is not a file`);
  await (await open(path, 'a', 0o644)).close();
}

/** @throws {Error} when the path is not of the volume's type. Source: volume/hostpath. */
export async function checkHostPath(path: string, type: string | undefined): Promise<void> {
  if (type === undefined || type === '') return;
  const kind = wanted[type];
  if (kind === undefined) throw new Error(`${type} is an invalid volume type`);
  if ((await kindOf(path)) === undefined) await create(path, type);
  if ((await kindOf(path)) !== kind) throw new Error(`hostPath type check failed: ${path} is not a ${kind}`);
}
