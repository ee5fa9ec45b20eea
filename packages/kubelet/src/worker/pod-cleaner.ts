import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '@orrery/api/core/v1';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import type { PodCgroups } from '../cgroups/pod-cgroups.ts';
import { isRuntimeNotFound, messageOf } from '../runtime/errors.ts';
import type { ContainerInstance, PodState } from '../runtime/pod-state.ts';
import type { StateReader } from '../runtime/state-reader.ts';
import type { Directories } from '../volumes/directories.ts';
import type { VolumeMounter } from '../volumes/volume-mounter.ts';

/** Removes what pods leave behind. */
export interface PodCleaner {
  /** Dead containers but the newest of each name, and dead sandboxes but the newest. Failures wait for the next time. */
  prune(state: PodState): Promise<void>;
  /** Volumes and control groups of a pod whose containers have all ended. Its logs and termination messages stay. */
  removeVolumes(uid: string): Promise<void>;
  /** All containers of a pod that has come to its end: only its status tells of them then. */
  removeDead(uid: string): Promise<void>;
  /** Everything of a pod that is gone from the API. */
  removeAll(pod: Pod): Promise<void>;
  /** Directories of pods that nobody knows. Asked at the last moment: a pod may come while this runs. */
  sweep(isKnown: (uid: string) => boolean): Promise<void>;
}

const DEAD_KEPT = 1; // Per container name, beside the newest run. Source: MaxPerPodContainer.

export function newPodCleaner(deps: {
  readonly runtime: Runtime;
  readonly reader: StateReader;
  readonly directories: Directories;
  readonly volumes: Pick<VolumeMounter, 'remove'>;
  readonly log: Logger;
  readonly cgroups: PodCgroups | undefined;
}): PodCleaner {
  const { runtime, reader, directories, volumes, log, cgroups } = deps;

  async function ignoringGone(fn: () => Promise<unknown>): Promise<void> {
    try {
      await fn();
    } catch (err) {
      if (!isRuntimeNotFound(err)) throw err;
    }
  }

  async function removeContainer({ id, logPath }: ContainerInstance): Promise<void> {
    await ignoringGone(() => runtime.removeContainer({ containerId: id }));
    if (logPath !== '') await rm(logPath, { force: true });
  }

  async function removeSandbox(id: string): Promise<void> {
    await ignoringGone(() => runtime.stopPodSandbox({ podSandboxId: id }));
    await ignoringGone(() => runtime.removePodSandbox({ podSandboxId: id }));
  }

  function surplus(state: PodState): readonly ContainerInstance[] {
    const seen = new Map<string, number>();
    return state.containers.filter((instance) => {
      const newer = seen.get(instance.name) ?? 0;
      seen.set(instance.name, newer + 1);
      return newer > DEAD_KEPT && instance.phase !== 'running';
    });
  }

  async function sweepDirectory(directory: string, keep: (name: string) => boolean): Promise<void> {
    const names = await readdir(directory).catch(() => []);
    for (const name of names) if (!keep(name)) await rm(join(directory, name), { recursive: true, force: true });
  }

  return {
    async prune(state) {
      try {
        for (const instance of surplus(state)) await removeContainer(instance);
        for (const sandbox of state.sandboxes.slice(1)) {
          const id = sandbox.id ?? '';
          if (sandbox.state === 'SANDBOX_READY') continue;
          const { containers = [] } = await runtime.listContainers({ filter: { podSandboxId: id } });
          if (containers.length === 0) await ignoringGone(() => runtime.removePodSandbox({ podSandboxId: id }));
        }
      } catch (err) {
        log.warn('removing dead containers failed', { uid: state.uid, error: messageOf(err) });
      }
    },
    async removeVolumes(uid) {
      await cgroups?.remove(uid);
      await volumes.remove(uid);
    },
    async removeDead(uid) {
      for (const instance of (await reader.read(uid)).containers) if (instance.phase === 'exited') await removeContainer(instance);
    },
    async removeAll(pod) {
      const { uid, name, namespace = '' } = pod.metadata;
      const state = await reader.read(uid);
      await Promise.all(state.containers.map(({ id }) => ignoringGone(() => runtime.removeContainer({ containerId: id }))));
      await Promise.all(state.sandboxes.map(({ id = '' }) => removeSandbox(id)));
      await cgroups?.remove(uid);
      await volumes.remove(uid);
      await rm(directories.pod(uid), { recursive: true, force: true });
      await rm(directories.podLogs({ namespace, name, uid }), { recursive: true, force: true });
    },
    async sweep(isKnown) {
      await cgroups?.sweep(isKnown);
      for (const directory of [directories.pods, directories.memory]) {
        const left = (await readdir(directory).catch(() => [])).filter((uid) => !isKnown(uid));
        for (const uid of left) await volumes.remove(uid);
      }
      await sweepDirectory(directories.pods, isKnown);
      await sweepDirectory(directories.logs, (name) => isKnown(name.slice(name.lastIndexOf('_') + 1)));
    },
  };
}
