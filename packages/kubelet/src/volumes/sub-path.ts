import { chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

const isInside = (base: string, path: string): boolean => {
  const step = relative(base, path);
  return step === '' || (!step.startsWith(`..${sep}`) && step !== '..' && !isAbsolute(step));
};

/** @throws {Error} for a path that is absolute or goes up. */
function checkSyntax(subPath: string): void {
  if (isAbsolute(subPath)) throw new Error(`subPath must be relative: ${subPath}`);
  if (subPath.split('/').includes('..')) throw new Error(`subPath must not contain '..': ${subPath}`);
}

/** Whoever may write into the volume may write into its new directories. */
async function makeLike(path: string, mode: number): Promise<void> {
  await mkdir(path);
  await chmod(path, mode);
}

/**
 * The place below `volume` that `subPath` means, with every symbolic link resolved. Each step is looked at before it is taken, so no
 * link leads out of the volume; steps that are missing are made as directories.
 *
 * @throws {Error} when the path leaves the volume. Source: pkg/volume/util/subpath.
 */
export async function resolveSubPath(volume: string, subPath: string): Promise<string> {
  checkSyntax(subPath);
  const base = await realpath(volume);
  const mode = (await stat(base)).mode & 0o7777;
  let at = base;
  for (const name of subPath.split('/').filter((step) => step !== '' && step !== '.')) {
    const next = join(at, name);
    if ((await lstat(next).catch(() => undefined)) === undefined) await makeLike(next, mode);
    at = await realpath(next);
    if (!isInside(base, at)) throw new Error(`failed to prepare subPath for volumeMount: ${subPath} is outside of the volume`);
  }
  return at;
}
