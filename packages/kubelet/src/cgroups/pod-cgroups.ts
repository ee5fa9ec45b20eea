import type { Pod } from '@orrery/api/core/v1';
import { newMutex } from '@orrery/base';
import type { ResourceList } from '../pod/resources.ts';
import { cpuShares } from '../runtime/linux-resources.ts';
import type { CgroupLimits } from './limits.ts';
import { burstableShares, nodeCgroupLimits, podCgroupLimits, type QosClass, qosOf } from './pod-limits.ts';
import type { CgroupTree, CgroupUsage } from './tree.ts';

/**
 * The control groups of pods: `<root>/kubepods/pod<uid>` for guaranteed ones, and below `burstable` and `besteffort` the others.
 * Containers' groups inside are the runtime's. Source: cm.QOSContainerManager, cm.PodContainerManager.
 */
export interface PodCgroups {
  /** Makes the node's groups and limits them. @throws {Error} where this machine does not allow it. */
  prepare(reservable: ResourceList): Promise<void>;
  path(pod: Pod): string;
  /** Makes the pod's group with its limits, where it is missing. @throws {Error} when the kernel refuses one. */
  ensure(pod: Pod): Promise<string>;
  /** Changes single limits of a pod's group: what was asked for in `pod` is what it weighs from now on. */
  limit(pod: Pod, limits: CgroupLimits): Promise<void>;
  /** What the pod's group is to have, as {@link ensure} would set it. */
  limitsOf(pod: Pod): CgroupLimits;
  /** Ends what is left in the pod's group and removes it. */
  remove(uid: string): Promise<void>;
  /** Removes groups of pods that nobody knows. */
  sweep(isKnown: (uid: string) => boolean): Promise<void>;
  usage(pod: Pod): Promise<CgroupUsage | undefined>;
}

const PREFIX = 'pod';
const folders: Readonly<Record<QosClass, string>> = { Guaranteed: '', Burstable: '/burstable', BestEffort: '/besteffort' };

/** @param root - Path of the group that is all ours, as `/orrery-a1b2`. @param podPidsMax - -1: no limit. */
export function newPodCgroups(tree: CgroupTree, root: string, podPidsMax: number): PodCgroups {
  const node = `${root.replace(/\/+$/, '')}/kubepods`;
  const pods = new Map<string, Pod>(); // Those that have a group, as they were limited last.
  const qosLock = newMutex();
  let shares = -1; // Of the burstable group, as written last.

  const pathOf = (pod: Pod): string => `${node}${folders[qosOf(pod)]}/${PREFIX}${pod.metadata.uid}`;

  /** The burstable pods weigh as much as they ask for, together. */
  async function weigh(): Promise<void> {
    await qosLock.run(async () => {
      const wanted = burstableShares(pods.values());
      if (wanted === shares) return;
      await tree.limit(`${node}/burstable`, { cpuShares: wanted });
      shares = wanted;
    });
  }

  async function removeEverywhere(uid: string): Promise<void> {
    for (const folder of Object.values(folders)) {
      const path = `${node}${folder}/${PREFIX}${uid}`;
      if (await tree.has(path)) await tree.remove(path);
    }
  }

  return {
    async prepare(reservable) {
      await tree.ensure(node);
      await tree.limit(node, nodeCgroupLimits(reservable));
      await Promise.all([tree.ensure(`${node}/burstable`), tree.ensure(`${node}/besteffort`)]);
      await tree.limit(`${node}/besteffort`, { cpuShares: cpuShares(0) });
      await weigh();
    },
    path: pathOf,
    async ensure(pod) {
      const path = pathOf(pod);
      const { uid } = pod.metadata;
      if (pods.has(uid)) return path;
      const made = await tree.ensure(path);
      // One that was there has its limits, from the agent before this one: it may be in the middle of a change.
      if (made) await tree.limit(path, podCgroupLimits(pod, podPidsMax));
      pods.set(uid, pod);
      await weigh();
      return path;
    },
    async limit(pod, limits) {
      await tree.limit(pathOf(pod), limits);
      pods.set(pod.metadata.uid, pod);
      await weigh();
    },
    limitsOf: (pod) => podCgroupLimits(pod, podPidsMax),
    async remove(uid) {
      pods.delete(uid);
      await removeEverywhere(uid);
      await weigh();
    },
    async sweep(isKnown) {
      for (const folder of Object.values(folders)) {
        for (const name of await tree.children(`${node}${folder}`)) {
          if (!name.startsWith(PREFIX)) continue;
          const uid = name.slice(PREFIX.length);
          if (!isKnown(uid)) await tree.remove(`${node}${folder}/${name}`);
        }
      }
    },
    usage: (pod) => tree.usage(pathOf(pod)),
  };
}
