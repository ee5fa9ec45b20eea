import { RuntimeError } from '@orrery/cri';
import { mountsBelow, readMountFacts } from './mount-table.ts';
import { run } from './process.ts';

/**
 * Makes a folder a mount of its own that passes no mounts on, unless it lies on such a one: what is mounted there in a container's mount
 * namespace must not appear on the host.
 */
export async function makePrivate(directory: string): Promise<void> {
  if (!readMountFacts().isShared(directory)) return;
  for (const args of [
    ['--bind', directory, directory],
    ['--make-private', directory],
  ]) {
    const { code, stderr } = await run('mount', args);
    if (code !== 0) throw new RuntimeError('FAILED_PRECONDITION', `cannot keep the mounts of containers apart: ${stderr.trim()}`);
  }
}

/** Takes away every mount at and below a driver's folder; for the end of a cluster whose agent is gone. Idempotent. */
export async function freeDirectoryMounts(directory: string): Promise<void> {
  const points = mountsBelow(directory);
  if (points.length > 0) await run('umount', ['--lazy', ...points]);
  await run('umount', ['--lazy', '--quiet', directory]);
}
