import { readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UsageProblem } from '../options/settings.ts';
import type { ArchiveFile } from './tar.ts';

export interface Asset extends ArchiveFile {
  /** Absolute. */
  readonly source: string;
}

/**
 * Files that a program reads, as it finds them beside itself: a folder with all below it.
 * @param root - Folder of the program's package: nothing outside of it is taken.
 * @param files - Relative to `root`.
 * @throws {UsageProblem} for what is not there or outside.
 */
export async function readAssets(root: string, files: readonly string[]): Promise<readonly Asset[]> {
  const found = new Map<string, Asset>(); // A file that is named twice travels once.
  const add = async (path: string): Promise<void> => {
    const { mode, ...kind } = await stat(path).then((stats) => ({ mode: stats.mode, folder: stats.isDirectory(), file: stats.isFile() }));
    if (kind.folder) for (const name of (await readdir(path)).sort()) await add(join(path, name));
    if (!kind.file) return;
    found.set(path, { source: path, path: relative(root, path).split(sep).join('/'), content: await readFile(path), mode: mode & 0o777 });
  };
  for (const file of files) {
    const path = resolve(root, file);
    const inside = relative(root, path);
    if (inside.startsWith('..') || isAbsolute(inside)) throw new UsageProblem(`files ${JSON.stringify(file)}: outside of ${root}`);
    await add(path).catch((cause: Error) => {
      throw new UsageProblem(`files ${JSON.stringify(file)}: ${cause.message}`, { cause });
    });
  }
  return [...found.values()];
}
