import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Container, Pod, VolumeMount } from '@orrery/api/core/v1';
import type { Random } from '@orrery/base';
import type { ImageSpec, Mount } from '@orrery/cri';
import { expand, missingReferences } from '../env/expansion.ts';
import type { Directories } from './directories.ts';
import type { Mounts } from './mounts.ts';
import { checkSubPath, prepareSubPath, subPathTarget } from './sub-path.ts';
import type { MountedVolume } from './volume-mounter.ts';

export interface ContainerMountsInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** The container's variables: `subPathExpr` refers to them. */
  readonly environment: ReadonlyMap<string, string>;
  /** Images of image volumes that are on the node, by volume name. */
  readonly images: ReadonlyMap<string, ImageSpec>;
  readonly directories: Directories;
  readonly mounts: Mounts;
  /** Whether the runtime can make all of a mount read-only. */
  readonly recursiveReadOnly: boolean;
  readonly random: Random;
}

const propagations: Readonly<Record<string, NonNullable<Mount['propagation']>>> = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
};

function subPathOf({ subPath, subPathExpr }: VolumeMount, environment: ReadonlyMap<string, string>): string {
  if (subPathExpr === undefined || subPathExpr === '') return subPath ?? '';
  const lookup = (name: string): string | undefined => environment.get(name);
  const [missing] = missingReferences(subPathExpr, lookup);
  if (missing !== undefined) throw new Error(`missing value for "${missing}"`);
  return expand(subPathExpr, lookup);
}

/** What went wrong in detail would tell the pod's author about the host's files: it is kept as the cause. */
async function hostPathOf(
  mount: VolumeMount,
  volume: MountedVolume & { kind: 'path' },
  subPath: string,
  index: number,
  input: ContainerMountsInput,
) {
  if (subPath === '') return volume.path;
  checkSubPath(subPath);
  const { pod, container, directories, mounts } = input;
  const target = subPathTarget(directories, pod.metadata.uid, mount.name, container.name, index);
  try {
    const path = await prepareSubPath({ volume: volume.path, subPath, target }, mounts);
    // The kubelet alone writes here: the path through `..data` stays right when the content moves on.
    return volume.managed && !mounts.allowed ? join(volume.path, subPath) : path;
  } catch (cause) {
    throw new Error(`failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`, { cause });
  }
}

/** Whether what is mounted below a read-only mount is read-only too. @throws {Error} worded as upstream's resolveRecursiveReadOnly (KEP-3857). */
export function isRecursiveReadOnly(mount: VolumeMount, readOnly: boolean, supported: boolean): boolean {
  const { name, recursiveReadOnly: mode = 'Disabled', mountPropagation = 'None' } = mount;
  if (mode === 'Disabled') return false;
  if (mode !== 'Enabled' && mode !== 'IfPossible') throw new Error(`unknown recursive read-only mode "${mode}"`);
  if (!readOnly) throw new Error(`volume "${name}" requested recursive read-only mode, but it is not read-only`);
  if (mountPropagation !== 'None') {
    throw new Error(`volume "${name}" requested recursive read-only mode, but it is not compatible with propagation "${mountPropagation}"`);
  }
  if (mode === 'Enabled' && !supported) {
    throw new Error(`volume "${name}" requested recursive read-only mode, but it is not supported by the runtime`);
  }
  return supported;
}

async function volumeMount(mount: VolumeMount, index: number, input: ContainerMountsInput): Promise<Mount> {
  const volume = input.volumes.get(mount.name);
  if (volume === undefined) throw new Error(`cannot find volume "${mount.name}" to mount into container "${input.container.name}"`);
  const containerPath = isAbsolute(mount.mountPath) ? mount.mountPath : join('/', mount.mountPath);
  const subPath = subPathOf(mount, input.environment);
  if (volume.kind === 'image') {
    const image = input.images.get(mount.name);
    if (image === undefined) throw new Error(`image of volume "${mount.name}" is not on the node`);
    return { containerPath, image, readonly: true, ...(subPath === '' ? {} : { imageSubPath: subPath }) };
  }
  const readonly = mount.readOnly === true || volume.readOnly;
  const recursiveReadOnly = isRecursiveReadOnly(mount, mount.readOnly === true, input.recursiveReadOnly);
  return {
    containerPath,
    hostPath: await hostPathOf(mount, volume, subPath, index, input),
    readonly,
    propagation: propagations[mount.mountPropagation ?? 'None'] ?? 'PROPAGATION_PRIVATE',
    ...(recursiveReadOnly ? { recursiveReadOnly } : {}),
  };
}

/** A fresh file for this run's termination message, writable by whatever user the container runs as. */
async function terminationMount({ pod, container, directories, random }: ContainerMountsInput): Promise<Mount> {
  const directory = directories.container(pod.metadata.uid, container.name);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const hostPath = join(directory, Buffer.from(random.bytes(4)).toString('hex'));
  await writeFile(hostPath, '');
  await chmod(hostPath, 0o666);
  return { containerPath: container.terminationMessagePath ?? '', hostPath, readonly: false };
}

/**
 * The container's mounts: its volumes, `/etc/hosts` unless it mounts its own, and the file for its termination message.
 * @throws {Error} when a volume or a sub path cannot be used.
 */
export async function containerMounts(input: ContainerMountsInput): Promise<readonly Mount[]> {
  const { pod, container, directories } = input;
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) mounts.push(await volumeMount(mount, index, input));
  const ownHosts = mounts.some(({ containerPath }) => containerPath === '/etc/hosts');
  if (!ownHosts) {
    mounts.push({ containerPath: '/etc/hosts', hostPath: directories.etcHosts(pod.metadata.uid), readonly: false });
  }
  if ((container.terminationMessagePath ?? '') !== '') mounts.push(await terminationMount(input));
  return mounts;
}
