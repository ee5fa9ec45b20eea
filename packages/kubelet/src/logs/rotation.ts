import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import { containerNameLabel, podNameLabel, podNamespaceLabel, podUidLabel } from '../pod/labels.ts';
import { logPath } from '../runtime/container-config.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Directories } from '../volumes/directories.ts';

export interface RotationOptions {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly directories: Directories;
  /** A log that is larger is put aside. Source: KubeletConfiguration.containerLogMaxSize. */
  readonly sizeBytesMax: number;
  /** Files of one run, the current one included. At least 2. Source: containerLogMaxFiles. */
  readonly filesMax: number;
}

const stamp = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '');

async function dropOldest(path: string, filesMax: number): Promise<void> {
  const prefix = `${basename(path)}.`;
  const rotated = (await readdir(dirname(path))).filter((name) => name.startsWith(prefix)).sort();
  for (const name of rotated.slice(0, Math.max(0, rotated.length - (filesMax - 1)))) await rm(join(dirname(path), name), { force: true });
}

/** Puts logs of running containers aside that have grown too large, and removes the oldest of what was put aside. */
export async function rotateLogs({ runtime, clock, log, directories, sizeBytesMax, filesMax }: RotationOptions): Promise<void> {
  const { containers = [] } = await runtime.listContainers({ filter: { state: { state: 'CONTAINER_RUNNING' } } });
  for (const { id = '', labels = {}, metadata, state } of containers) {
    if (state !== 'CONTAINER_RUNNING') continue;
    const pod = { namespace: labels[podNamespaceLabel] ?? '', name: labels[podNameLabel] ?? '', uid: labels[podUidLabel] ?? '' };
    const path = join(directories.podLogs(pod), logPath(labels[containerNameLabel] ?? '', metadata?.attempt ?? 0));
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || info.size <= sizeBytesMax) continue;
    try {
      const aside = `${path}.${stamp(clock.now())}`;
      await rename(path, aside);
      await runtime.reopenContainerLog({ containerId: id }).catch(async (err: unknown) => {
        await rename(aside, path); // Still written to: it must stay where it is looked for.
        throw err;
      });
      await dropOldest(path, filesMax);
    } catch (err) {
      log.warn('rotating a container log failed', { path, error: messageOf(err) });
    }
  }
}
