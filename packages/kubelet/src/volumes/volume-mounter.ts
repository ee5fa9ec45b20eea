import { lstat, mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Node, Pod, Volume } from '@orrery/api/core/v1';
import { quantityValue } from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/base';
import { messageOf } from '../runtime/errors.ts';
import { writeAtomically } from './atomic-writer.ts';
import type { Directories } from './directories.ts';
import { setUpEmptyDir } from './empty-dir.ts';
import { checkHostPath } from './host-path.ts';
import type { Mounts } from './mounts.ts';
import { type Claims, claimNameOf } from './persistent.ts';
import { persistentPath } from './persistent-path.ts';
import { type ApiVolume, apiVolume, type SourceInput } from './sources.ts';

/** A volume that is ready to be mounted. */
export type MountedVolume =
  | {
      readonly kind: 'path';
      readonly path: string;
      readonly readOnly: boolean;
      /** The kubelet alone writes below it. */
      readonly managed: boolean;
    }
  | { readonly kind: 'image'; readonly reference: string; readonly pullPolicy: string | undefined };

export interface VolumeMounter {
  /**
   * Makes every volume of the pod ready, and brings those that come from the API up to date.
   * @throws {VolumeError} for the first that cannot be.
   */
  mount(input: SourceInput): Promise<ReadonlyMap<string, MountedVolume>>;
  /** Removes the pod's volumes. What pods keep elsewhere (host paths, persistent volumes) stays. @throws {Error} while something is mounted. */
  remove(uid: string): Promise<void>;
}

/** Worded as upstream's event FailedMount. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
}

export interface VolumeMounterDeps {
  readonly directories: Directories;
  readonly mounts: Mounts;
  readonly clock: Clock;
  readonly random: Random;
  readonly claims: Claims;
  /** This node as the API has it: for volumes that are bound to some. */
  readonly node: () => Node | undefined;
}

const runsAsRoot = (): boolean => process.getuid?.() === 0;

/** Only root may give files to a group it is not in; elsewhere the pod's processes are the kubelet's own user, who needs no group. */
const fsGroupOf = (pod: Pod): number | undefined => (runsAsRoot() ? pod.spec.securityContext?.fsGroup : undefined);

const pluginNames =
  'no volume plugin matched: this node has configMap, secret, projected, downwardAPI, emptyDir, hostPath, image, persistentVolumeClaim and ephemeral volumes';

/** A path in the pod's directory that leads to the volume's place in memory. */
async function linkTo(target: string, path: string): Promise<void> {
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await rm(path, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await symlink(target, path);
}

export function newVolumeMounter(deps: VolumeMounterDeps): VolumeMounter {
  const { directories, mounts, claims } = deps;
  let memoryReady: Promise<void> | undefined; // Mounting it is tried once, by the first that needs it.

  async function openMemory(): Promise<void> {
    await mkdir(directories.memory, { recursive: true, mode: 0o750 });
    if (await mounts.isMounted(directories.memory)) return; // From before a restart, with what running pods use.
    await mounts.tmpfs(directories.memory, { mode: 0o750 });
  }

  /** The directory that the volume's files go into: never on disk where they are secret and this process may mount. */
  async function placeOf(pod: Pod, volume: Volume, source: ApiVolume): Promise<string> {
    const { uid } = pod.metadata;
    const path = directories.volume(uid, source.plugin, volume.name);
    if (!source.secret || !mounts.allowed) return path;
    memoryReady ??= openMemory();
    await memoryReady.catch((err: unknown) => {
      memoryReady = undefined;
      throw err;
    });
    const place = directories.memoryVolume(uid, source.plugin, volume.name);
    await mkdir(place, { recursive: true, mode: 0o755 });
    await linkTo(place, path);
    return place;
  }

  async function mountClaim(volume: Volume, claimName: string, pod: Pod): Promise<MountedVolume> {
    const bound = await claims.bound(pod, claimName, volume.ephemeral !== undefined).catch((err: unknown) => {
      const names = `unmounted volumes=[${volume.name}], unattached volumes=[], failed to process volumes=[${volume.name}]`;
      throw new VolumeError(`Unable to attach or mount volumes: ${names}: ${messageOf(err)}`, { cause: err });
    });
    const readOnly = volume.persistentVolumeClaim?.readOnly === true;
    try {
      const path = await persistentPath(bound.volume, { pod, node: deps.node(), group: fsGroupOf(pod), readOnly });
      return { kind: 'path', path, readOnly, managed: false };
    } catch (cause) {
      const said = messageOf(cause);
      const whole = said.startsWith('MountVolume.')
        ? said
        : `MountVolume.SetUp failed for volume "${bound.volume.metadata.name}" : ${said}`;
      throw new VolumeError(whole, { cause });
    }
  }

  async function mountOne(volume: Volume, input: SourceInput): Promise<MountedVolume> {
    const { pod, allocatable } = input;
    if (volume.emptyDir !== undefined) {
      const path = directories.volume(pod.metadata.uid, 'kubernetes.io/empty-dir', volume.name);
      const allocatableBytes = quantityValue(allocatable['memory'] ?? '0');
      await setUpEmptyDir(path, volume.emptyDir, { pod, group: fsGroupOf(pod), allocatableBytes, mounts });
      return { kind: 'path', path, readOnly: false, managed: false };
    }
    if (volume.hostPath !== undefined) {
      await checkHostPath(volume.hostPath.path, volume.hostPath.type);
      return { kind: 'path', path: volume.hostPath.path, readOnly: false, managed: false };
    }
    if (volume.image !== undefined) {
      return { kind: 'image', reference: volume.image.reference ?? '', pullPolicy: volume.image.pullPolicy };
    }
    const claimName = claimNameOf(pod, volume);
    if (claimName !== undefined) return await mountClaim(volume, claimName, pod);
    const source = apiVolume(volume);
    if (source === undefined) throw new Error(pluginNames);
    const files = await source.files(input);
    const path = await placeOf(pod, volume, source);
    await writeAtomically(path, files, { clock: deps.clock, random: deps.random, group: fsGroupOf(pod) });
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
            if (cause instanceof VolumeError) throw cause;
            throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${messageOf(cause)}`, { cause });
          }
        }),
      );
      return new Map(mounted);
    },
    async remove(uid) {
      if ((await lstat(directories.pod(uid)).catch(() => undefined)) !== undefined) {
        await mounts.unmountBelow(directories.pod(uid)); // Before anything is removed: what is mounted there is not the pod's alone.
      }
      await rm(directories.volumes(uid), { recursive: true, force: true });
      await rm(directories.subPaths(uid), { recursive: true, force: true });
      await rm(directories.memoryOf(uid), { recursive: true, force: true });
    },
  };
}
