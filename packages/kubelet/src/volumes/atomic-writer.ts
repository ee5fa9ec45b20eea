import { chmod, chown, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import type { Clock, Random } from '@orrery/base';
import { setVolumeOwnership } from './ownership.ts';
import type { Payload, PayloadFile } from './payload.ts';

const dataLink = '..data';
const newDataLink = '..data_tmp';

async function linkTarget(path: string): Promise<string | undefined> {
  return await readlink(path).catch(() => undefined);
}

/** @throws {Error} for a path that leaves the volume or meets the writer's own names. */
function checkPath(path: string): void {
  const clean = normalize(path);
  const bad = path === '' || path.startsWith('/') || clean.split(sep).includes('..') || clean.startsWith('..');
  if (bad) throw new Error(`invalid path: must not be empty, absolute, or contain '..': ${path}`);
}

/** A group may read what it is given. Source: volume.SetVolumeOwnership. */
const modeOf = (file: PayloadFile, group: number | undefined): number => (group === undefined ? file.mode : file.mode | 0o440) & 0o777;

async function sameFile(path: string, file: PayloadFile, group: number | undefined): Promise<boolean> {
  try {
    const [data, info] = await Promise.all([readFile(path), stat(path)]);
    return (info.mode & 0o777) === modeOf(file, group) && data.equals(file.data);
  } catch {
    return false; // Not there, or not readable: write it anew.
  }
}

async function countFiles(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).length;
}

async function isCurrent(directory: string, payload: Payload, group: number | undefined): Promise<boolean> {
  if ((await countFiles(directory).catch(() => -1)) !== payload.size) return false;
  const same = await Promise.all([...payload].map(([path, file]) => sameFile(join(directory, path), file, group)));
  return same.every(Boolean);
}

async function writeAll(directory: string, payload: Payload, group: number | undefined): Promise<void> {
  await mkdir(directory, { mode: 0o755 });
  await chmod(directory, 0o755);
  for (const [path, file] of payload) {
    const target = join(directory, path);
    if (path.includes(sep)) await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, file.data);
    if (file.uid !== undefined) await chown(target, file.uid, -1);
    await chmod(target, modeOf(file, undefined));
  }
  if (group !== undefined) await setVolumeOwnership(directory, { group, readOnly: true });
}

async function linkNames(volume: string, payload: Payload): Promise<void> {
  const names = new Set([...payload.keys()].map((path) => path.split(sep)[0] ?? path));
  for (const name of names) {
    if ((await linkTarget(join(volume, name))) !== undefined) continue;
    await symlink(join(dataLink, name), join(volume, name));
  }
  for (const name of await readdir(volume)) {
    if (!name.startsWith('..') && !names.has(name)) await rm(join(volume, name), { recursive: true, force: true });
  }
}

/**
 * Makes the files of `volume` exactly `payload`, all at once for every reader: the files lie in a directory of their own, and one
 * rename of the link `..data` moves from the old to the new. Answers whether anything changed.
 * Source: pkg/volume/util AtomicWriter.
 *
 * @param group - Group of every file, where the pod has an fsGroup that this process may set.
 */
export async function writeAtomically(
  volume: string,
  payload: Payload,
  { clock, random, group }: { readonly clock: Clock; readonly random: Random; readonly group?: number | undefined },
): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path);
  await mkdir(volume, { recursive: true, mode: 0o777 });
  if (group !== undefined) await chown(volume, -1, group);
  await chmod(volume, group === undefined ? 0o777 : 0o2777);
  const before = await linkTarget(join(volume, dataLink));
  if (before !== undefined && (await isCurrent(join(volume, before), payload, group))) return false;

  const stamp = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_');
  const fresh = `..${stamp}.${random.integer(1_000_000_000)}`;
  await writeAll(join(volume, fresh), payload, group);
  await rm(join(volume, newDataLink), { force: true });
  await symlink(fresh, join(volume, newDataLink));
  await rename(join(volume, newDataLink), join(volume, dataLink));
  await linkNames(volume, payload);
  if (before !== undefined) await rm(join(volume, before), { recursive: true, force: true });
  return true;
}
