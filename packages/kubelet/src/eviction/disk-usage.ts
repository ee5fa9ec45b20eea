import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface DiskUsage {
  readonly bytes: number;
  readonly inodes: number;
}

export const noUsage: DiskUsage = { bytes: 0, inodes: 0 };
export const addUsage = (a: DiskUsage, b: DiskUsage): DiskUsage => ({ bytes: a.bytes + b.bytes, inodes: a.inodes + b.inodes });

const BLOCK_BYTES = 512; // What `st_blocks` counts, whatever the file system's own blocks are.

/** What lies below `path`, that included: blocks that are really taken. Links are not followed, other file systems not entered. */
export async function diskUsage(path: string): Promise<DiskUsage> {
  const top = await lstat(path).catch(() => undefined);
  if (top === undefined) return noUsage;
  const seen = new Set<number>(); // Files with several names count once.
  let [bytes, inodes] = [0, 0];
  const waiting = [path];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const found = await lstat(next).catch(() => undefined); // Gone meanwhile.
    if (found === undefined || found.dev !== top.dev || seen.has(found.ino)) continue;
    if (found.nlink > 1 && !found.isDirectory()) seen.add(found.ino);
    bytes += found.blocks * BLOCK_BYTES;
    inodes += 1;
    if (!found.isDirectory()) continue;
    const entries: readonly Dirent[] = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const { name } of entries) waiting.push(join(next, name));
  }
  return { bytes, inodes };
}
