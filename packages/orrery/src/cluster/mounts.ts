import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Mount points at or under `folder`, the deepest first, as `/proc/self/mountinfo` has them. Source: proc(5). */
export function mountsUnder(folder: string, mountInfo: string): readonly string[] {
  return mountInfo
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .reverse();
}

/** Unmounts everything under a folder of ours: volumes in memory and container roots whose owner did not live to do it. */
export async function unmountUnder(folder: string): Promise<void> {
  const path = await realpath(folder).catch(() => undefined);
  const info = path === undefined ? '' : await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''); // Not Linux: no mounts of ours.
  for (const point of path === undefined ? [] : mountsUnder(path, info)) {
    await promisify(execFile)('umount', ['--lazy', point]).catch(() => undefined); // Gone with the one above it.
  }
}
