import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Container, Pod, VolumeMount } from '@orrery/api/core/v1';
import type { Random } from '@orrery/base';
import type { ImageSpec, Mount } from '@orrery/cri';
import { expand, missingReferences } from '../env/expansion.ts';
import { isAtomicVolume } from './atomic-writer.ts';
import type { Directories } from './directories.ts';
import { resolveSubPath } from './sub-path.ts';
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

async function hostPathOf(volume: MountedVolume & { kind: 'path' }, subPath: string): Promise<string> {
  if (subPath === '') return volume.path;
  const resolved = await resolveSubPath(volume.path, subPath);
  // The kubelet alone writes here: the path through `..data` stays right when the content moves on.
  return volume.managed && (await isAtomicVolume(volume.path)) ? join(volume.path, subPath) : resolved;
}

async function volumeMount(mount: VolumeMount, input: ContainerMountsInput): Promise<Mount> {
  const volume = input.volumes.get(mount.name);
  if (volume === undefined) throw new Error(`cannot find volume "${mount.name}" to mount into container "${input.container.name}"`);
  const containerPath = isAbsolute(mount.mountPath) ? mount.mountPath : join('/', mount.mountPath);
  const subPath = subPathOf(mount, input.environment);
  if (volume.kind === 'image') {
    const image = input.images.get(mount.name);
    if (image === undefined) throw new Error(`image of volume "${mount.name}" is not on the node`);
    return { containerPath, image, readonly: true, ...(subPath === '' ? {} : { imageSubPath: subPath }) };
  }
  return {
    containerPath,
    hostPath: await hostPathOf(volume, subPath),
    readonly: mount.readOnly === true || volume.readOnly,
    propagation: propagations[mount.mountPropagation ?? 'None'] ?? 'PROPAGATION_PRIVATE',
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
  for (const mount of container.volumeMounts ?? []) mounts.push(await volumeMount(mount, input));
  const ownHosts = mounts.some(({ containerPath }) => containerPath === '/etc/hosts');
  if (!ownHosts && (pod.spec.hostNetwork !== true || (pod.spec.hostAliases?.length ?? 0) > 0)) {
    mounts.push({ containerPath: '/etc/hosts', hostPath: directories.etcHosts(pod.metadata.uid), readonly: false });
  }
  if ((container.terminationMessagePath ?? '') !== '') mounts.push(await terminationMount(input));
  return mounts;
}
