import { constants } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { Directories } from './directories.ts';
import type { Mounts } from './mounts.ts';

/** Opens a place without reading it. Linux; not among Node's constants. */
const O_PATH = 0o10000000;
const STEP = O_PATH | constants.O_NOFOLLOW | constants.O_DIRECTORY;
const LAST = O_PATH | constants.O_NOFOLLOW;

const isInside = (base: string, path: string): boolean => {
  const step = relative(base, path);
  return step === '' || (!step.startsWith(`..${sep}`) && step !== '..' && !isAbsolute(step));
};

/** @throws {Error} for a path that is absolute or goes up. Worded as upstream. */
export function checkSubPath(subPath: string): void {
  if (isAbsolute(subPath)) throw new Error(`error SubPath \`${subPath}\` must not be an absolute path`);
  if (subPath.split('/').includes('..')) throw new Error(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
}

const stepsOf = (path: string): readonly string[] => path.split('/').filter((step) => step !== '' && step !== '.');

/** The path of an entry of an open directory: whatever happens to the directory's name, it stays this directory. */
const entryOf = (directory: FileHandle, name: string): string => `/proc/self/fd/${directory.fd}/${name}`;

/**
 * Where the path leads, links followed, as far as it exists; the rest as it stands.
 * @throws {Error} when that is outside of the volume.
 */
async function resolveInside(base: string, subPath: string): Promise<string> {
  let at = base;
  for (const name of stepsOf(subPath)) {
    const next = join(at, name);
    at = await realpath(next).catch((err: NodeJS.ErrnoException) => {
      if (err.code === 'ENOENT') return next;
      throw err;
    });
    if (!isInside(base, at)) throw new Error(`subpath ${subPath} is outside of the volume`);
  }
  return at;
}

async function openStep(parent: FileHandle, name: string, flags: number): Promise<FileHandle | undefined> {
  try {
    return await open(entryOf(parent, name), flags);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw err; // ELOOP or ENOTDIR: somebody put a link there after it was resolved.
  }
}

/**
 * Opens a place in a volume step by step, each from the directory before it and never over a link; so nobody who writes into the
 * volume meanwhile can lead the way out of it. Directories that are missing are made with the mode of the volume.
 * The caller closes the handle.
 *
 * @throws {Error} when the path leaves the volume. Source: pkg/volume/util/subpath, CVE-2017-1002101 and CVE-2021-25741.
 */
export async function openSubPath(volume: string, subPath: string): Promise<FileHandle> {
  checkSubPath(subPath);
  const base = await realpath(volume);
  const mode = (await stat(base)).mode & 0o7777;
  const names = stepsOf(relative(base, await resolveInside(base, subPath)));
  let at = await open(base, STEP);
  try {
    for (const [index, name] of names.entries()) {
      const flags = index === names.length - 1 ? LAST : STEP;
      let next = await openStep(at, name, flags);
      if (next === undefined) {
        await mkdir(entryOf(at, name));
        next = await open(entryOf(at, name), STEP);
        await chmod(`/proc/self/fd/${next.fd}`, mode); // Whoever may write into the volume may write into its new directories.
      }
      await at.close();
      at = next;
    }
    if ((await at.stat()).isSymbolicLink()) throw new Error(`subpath ${subPath} is a symbolic link`);
    return at;
  } catch (err) {
    await at.close();
    throw err;
  }
}

export interface SubPathWish {
  readonly volume: string;
  readonly subPath: string;
  /** Where the place is mounted once more for the runtime. */
  readonly target: string;
}

/**
 * A path that the runtime can mount for a place in a volume. Where this process may mount, the very object that was opened is mounted
 * at `target`: a link that a pod puts in the way is seen by nobody. Elsewhere it is the real path; pods' processes are then users that
 * can do no more than this process.
 *
 * @throws {Error} as {@link openSubPath}
 */
export async function prepareSubPath({ volume, subPath, target }: SubPathWish, mounts: Mounts): Promise<string> {
  const place = await openSubPath(volume, subPath);
  try {
    const self = `/proc/${process.pid}/fd/${place.fd}`;
    if (!mounts.allowed) return await realpath(self);
    await mounts.unmountBelow(target); // An earlier run of the container keeps its own.
    const isDirectory = (await place.stat()).isDirectory();
    await mkdir(isDirectory ? target : join(target, '..'), { recursive: true, mode: 0o750 });
    if (!isDirectory) await (await open(target, 'a', 0o640)).close();
    await mounts.bind(self, target);
    return target;
  } finally {
    await place.close();
  }
}

/** Where {@link prepareSubPath} mounts the `index`th mount of a container. */
export const subPathTarget = (directories: Directories, uid: string, volume: string, container: string, index: number): string =>
  join(directories.subPaths(uid), volume, container, String(index));
