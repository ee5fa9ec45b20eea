import { chmod, chown, mkdir } from 'node:fs/promises';
import type { Pod, Volume } from '@orrery/api/core/v1';
import type { Clock, Random } from '@orrery/base';
import { messageOf } from '../runtime/errors.ts';
import { writeAtomically } from './atomic-writer.ts';
import type { Directories } from './directories.ts';
import { checkHostPath } from './host-path.ts';
import { apiVolume, type SourceInput } from './sources.ts';

/** A volume that is ready to be mounted. */
export type MountedVolume =
  | {
      readonly kind: 'path';
      readonly path: string;
      readonly readOnly: boolean /** The kubelet alone writes below it. */;
      readonly managed: boolean;
    }
  | { readonly kind: 'image'; readonly reference: string; readonly pullPolicy: string | undefined };

export interface VolumeMounter {
  /**
   * Makes every volume of the pod ready, and brings those that come from the API up to date.
   * @throws {VolumeError} for the first that cannot be.
   */
  mount(input: SourceInput): Promise<ReadonlyMap<string, MountedVolume>>;
}

/** Worded as upstream's event FailedMount. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
}

const runsAsRoot = (): boolean => process.getuid?.() === 0;

/** Only root may give files to a group it is not in; elsewhere the pod's processes are the kubelet's own user, who needs no group. */
const fsGroupOf = (pod: Pod): number | undefined => (runsAsRoot() ? pod.spec.securityContext?.fsGroup : undefined);

const managedElsewhere =
  'no volume plugin matched: this node has configMap, secret, projected, downwardAPI, emptyDir, hostPath and image volumes';

export function newVolumeMounter(directories: Directories, deps: { readonly clock: Clock; readonly random: Random }): VolumeMounter {
  async function emptyDir(pod: Pod, name: string): Promise<MountedVolume> {
    const path = directories.volume(pod.metadata.uid, 'kubernetes.io/empty-dir', name);
    const made = await mkdir(path, { recursive: true });
    const group = fsGroupOf(pod);
    if (made !== undefined) {
      await chmod(path, group === undefined ? 0o777 : 0o2777);
      if (group !== undefined) await chown(path, -1, group);
    }
    return { kind: 'path', path, readOnly: false, managed: false };
  }

  async function mountOne(volume: Volume, input: SourceInput): Promise<MountedVolume> {
    const { pod } = input;
    if (volume.emptyDir !== undefined) return await emptyDir(pod, volume.name);
    if (volume.hostPath !== undefined) {
      await checkHostPath(volume.hostPath.path, volume.hostPath.type);
      return { kind: 'path', path: volume.hostPath.path, readOnly: false, managed: false };
    }
    if (volume.image !== undefined) {
      return { kind: 'image', reference: volume.image.reference ?? '', pullPolicy: volume.image.pullPolicy };
    }
    const source = apiVolume(volume);
    if (source === undefined) throw new Error(managedElsewhere);
    const path = directories.volume(pod.metadata.uid, source.plugin, volume.name);
    await writeAtomically(path, await source.files(input), { ...deps, group: fsGroupOf(pod) });
    return { kind: 'path', path, readOnly: true, managed: true };
  }

  return {
    async mount(input) {
      const volumes = input.pod.spec.volumes ?? [];
      const mounted = await Promise.all(
        volumes.map(async (volume) => {
          try {
            return [volume.name, await mountOne(volume, input)] as const;
          } catch (cause) {
            throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${messageOf(cause)}`, { cause });
          }
        }),
      );
      return new Map(mounted);
    },
  };
}
