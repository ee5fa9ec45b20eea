import { join } from 'node:path';
import type { Pod } from '@orrery/api/core/v1';
import type { ContainerStats, Runtime } from '@orrery/cri';
import type { PodCgroups } from '../cgroups/pod-cgroups.ts';
import { containerNameLabel, podUidLabel } from '../pod/labels.ts';
import type { Directories } from '../volumes/directories.ts';
import { addUsage, type DiskUsage, diskUsage, noUsage } from './disk-usage.ts';

export interface ContainerUsage {
  readonly name: string;
  readonly memoryBytes: number;
  /** Its writable layer and its logs. */
  readonly disk: DiskUsage;
}

/** What a pod takes of its node. */
export interface PodUsage {
  readonly pod: Pod;
  readonly memoryBytes: number;
  readonly pids: number;
  readonly disk: DiskUsage;
  readonly containers: readonly ContainerUsage[];
  /** By the name of the volume: directories on disk only. */
  readonly emptyDirs: ReadonlyMap<string, DiskUsage>;
}

export interface UsageReader {
  /** @param withDisk - Count files also, which takes time in the size of the pods' directories. */
  read(pods: readonly Pod[], withDisk: boolean): Promise<readonly PodUsage[]>;
}

interface Deps {
  readonly runtime: Runtime;
  readonly directories: Directories;
  readonly cgroups: PodCgroups | undefined;
}

const layerOf = ({ writableLayer }: ContainerStats): DiskUsage => ({
  bytes: writableLayer?.usedBytes?.value ?? 0,
  inodes: writableLayer?.inodesUsed?.value ?? 0,
});

const memoryOf = ({ memory }: ContainerStats): number => memory?.workingSetBytes?.value ?? memory?.usageBytes?.value ?? 0;

export function newUsageReader({ runtime, directories, cgroups }: Deps): UsageReader {
  async function emptyDirsOf({ metadata, spec }: Pod): Promise<ReadonlyMap<string, DiskUsage>> {
    const onDisk = (spec.volumes ?? []).filter(({ emptyDir }) => emptyDir !== undefined && (emptyDir.medium ?? '') === '');
    const found = onDisk.map(
      async ({ name }) => [name, await diskUsage(directories.volume(metadata.uid, 'kubernetes.io/empty-dir', name))] as const,
    );
    return new Map(await Promise.all(found));
  }

  async function containerOf(pod: Pod, stats: ContainerStats, withDisk: boolean): Promise<ContainerUsage> {
    const { name: podName, namespace = '', uid } = pod.metadata;
    const name = stats.attributes?.labels?.[containerNameLabel] ?? stats.attributes?.metadata?.name ?? '';
    const logs = withDisk ? await diskUsage(join(directories.podLogs({ namespace, name: podName, uid }), name)) : noUsage;
    return { name, memoryBytes: memoryOf(stats), disk: addUsage(layerOf(stats), logs) };
  }

  async function usageOf(pod: Pod, stats: readonly ContainerStats[], withDisk: boolean): Promise<PodUsage> {
    const containers = await Promise.all(stats.map((each) => containerOf(pod, each, withDisk)));
    const emptyDirs = withDisk ? await emptyDirsOf(pod) : new Map<string, DiskUsage>();
    const group = await cgroups?.usage(pod);
    return {
      pod,
      containers,
      emptyDirs,
      memoryBytes: group?.workingSetBytes ?? containers.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      pids: group?.pids ?? 0,
      disk: [...containers.map(({ disk }) => disk), ...emptyDirs.values()].reduce(addUsage, noUsage),
    };
  }

  return {
    async read(pods, withDisk) {
      const { stats = [] } = await runtime.listContainerStats({});
      const usages: PodUsage[] = [];
      for (const pod of pods) {
        const own = stats.filter(({ attributes }) => attributes?.labels?.[podUidLabel] === pod.metadata.uid);
        usages.push(await usageOf(pod, own, withDisk)); // One after another: counting files must not take the whole disk.
      }
      return usages;
    },
  };
}
