import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const READ_WRITE = 0o660;
const READ_ONLY = 0o440;
const EXECUTE = 0o110;
const SETGID = 0o2000;

export interface OwnershipWish {
  readonly group: number;
  readonly readOnly: boolean;
  /** Nothing is done where the volume's own directory already is as it should be. @default always */
  readonly onRootMismatch?: boolean;
}

const maskOf = (isDirectory: boolean, readOnly: boolean): number =>
  (readOnly ? READ_ONLY : READ_WRITE) | (isDirectory ? SETGID | EXECUTE : 0);

async function settled(path: string, { group, readOnly }: OwnershipWish): Promise<boolean> {
  const info = await lstat(path);
  const mask = maskOf(true, readOnly);
  return info.gid === group && (info.mode & mask) === mask;
}

async function own(path: string, wish: OwnershipWish): Promise<void> {
  const info = await lstat(path);
  if (info.gid !== wish.group) await lchown(path, info.uid, wish.group);
  if (info.isSymbolicLink()) return;
  // After the change of group, which takes set-id bits away.
  await chmod(path, (info.mode & 0o7777) | maskOf(info.isDirectory(), wish.readOnly));
  if (!info.isDirectory()) return;
  for (const name of await readdir(path)) await own(join(path, name), wish);
}

/** Gives a volume and all that is in it to a group: files to read (and write), directories to enter, and what is made there later too. Source: volume.SetVolumeOwnership. */
export async function setVolumeOwnership(path: string, wish: OwnershipWish): Promise<void> {
  if (wish.onRootMismatch === true && (await settled(path, wish))) return;
  await own(path, wish);
}
