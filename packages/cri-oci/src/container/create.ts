import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ContainerConfig, type Mount, RuntimeError } from '@orrery/cri';
import type { Host } from '../host/host.ts';
import { readMountFacts } from '../host/mount-table.ts';
import type { ImageRecord } from '../images/image-record.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { ContainerSnapshot, IdMapping, SnapshotOptions } from '../images/snapshots.ts';
import { type RecordedConfig, recordedConfig, type SandboxRecord } from '../records.ts';
import { podSysctls, sandboxPaths } from '../sandbox/sandbox.ts';
import { podUsers } from '../sandbox/user-namespace.ts';
import { containerCapabilities } from '../spec/capabilities.ts';
import { containerCommand, containerEnvironment, workingDirectory } from '../spec/command.ts';
import { containerDevices } from '../spec/devices.ts';
import type { IdMappings } from '../spec/id-mappings.ts';
import { defaultMounts, orderedMounts, rootPropagation, volumeMount } from '../spec/mounts.ts';
import { containerNamespaces, type SandboxNamespaces } from '../spec/namespaces.ts';
import type { OciMount, OciSpec, OciUser } from '../spec/oci.ts';
import { clampedOomScore, containerResources } from '../spec/resources.ts';
import { containerSeccomp } from '../spec/seccomp.ts';
import { containerSpec } from '../spec/spec.ts';
import { containerUser } from '../spec/user.ts';
import type { RootMount } from './launch.ts';
import { readLayerFile } from './layer-files.ts';

export interface CreateInput {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly sandbox: SandboxRecord;
  readonly sandboxDirectory: string;
  readonly namespaces: SandboxNamespaces;
  /** Of the container that `targetId` names. */
  readonly targetPid: string | undefined;
  readonly hostname: string;
  readonly image: ImageRecord;
  readonly images: ImageStore;
  readonly host: Host;
  /** The container's own folder. */
  readonly directory: string;
  /** Where root file systems are mounted, in the container's mount namespace. */
  readonly rootsDirectory: string;
  readonly cgroupPath: string;
}

export interface CreatedContainer {
  readonly spec: OciSpec;
  readonly user: OciUser;
  readonly config: RecordedConfig;
  readonly upper: string | undefined;
  readonly mounts: readonly RootMount[];
  readonly imageVolumes: readonly string[];
}

interface ImageVolume {
  readonly snapshotId: string;
  readonly target: string;
  readonly snapshot: ContainerSnapshot;
}

/** Everything about a container that has to be looked up, and its `config.json` made of it. Nothing is started or mounted. */
export async function createSpec(input: CreateInput): Promise<CreatedContainer> {
  const { id, sandbox, sandboxDirectory, image, images, host, directory, rootsDirectory, cgroupPath, hostname } = input;
  const users = podUsers(sandbox.config);
  const config = recordedConfig(input.config);
  const context = config.linux?.securityContext ?? {};
  const { privileged = false, readonlyRootfs = false } = context;
  const snapshot = await images.snapshot(id, image, ownersOf(users));
  const rootfs = join(rootsDirectory, 'rootfs');
  await mkdir(rootfs, { recursive: true });
  const [passwd, group] = await Promise.all([readLayerFile(snapshot, 'etc/passwd'), readLayerFile(snapshot, 'etc/group')]);
  const user = containerUser(context, image.config.User ?? '', { passwd, group });
  const capabilities = containerCapabilities({ privileged, wanted: context.capabilities, available: host.capabilities });
  const { mounts: own, imageVolumes } = await ownMounts(input, config.mounts ?? []);
  const { files } = sandboxPaths(sandboxDirectory, sandbox.config);
  const options = { ...sandbox.config.linux?.securityContext?.namespaceOptions, ...context.namespaceOptions };
  const resources = config.linux?.resources ?? {};
  const spec = containerSpec({
    rootfs,
    context,
    args: containerCommand(input.config, image.config),
    env: containerEnvironment({ image: image.config, own: config.env, hostname, tty: config.tty === true }),
    cwd: workingDirectory(input.config, image.config),
    terminal: config.tty === true,
    user,
    capabilities,
    seccomp: await containerSeccomp(context, capabilities.bounding),
    namespaces: containerNamespaces({
      options,
      sandbox: input.namespaces,
      targetPid: input.targetPid,
      privileged,
      cgroupVersion: host.cgroups.abilities.version,
    }),
    mounts: orderedMounts(defaultMounts({ privileged, readonlyRootfs, files, cgroup: host.limits, users }), own),
    rootfsPropagation: rootPropagation(config.mounts ?? []),
    devices: await containerDevices(config.devices ?? [], privileged),
    resources: host.limits ? containerResources(resources, host.cgroups.abilities) : {},
    cgroupsPath: host.limits ? cgroupPath : undefined,
    oomScoreAdj: clampedOomScore(resources.oomScoreAdj ?? 0, host.oomScoreAdj, host.capabilities.has('CAP_SYS_RESOURCE')),
    hostname,
    sysctls: podSysctls(sandbox.config),
    idMappings: users,
    apparmorProfile: apparmorProfile(host, context.apparmor?.profileType === 'Localhost' ? context.apparmor.localhostRef : undefined),
  });
  await writeFile(join(directory, 'config.json'), JSON.stringify(spec), { mode: 0o600 });
  return {
    spec,
    user,
    config,
    upper: snapshot.upper,
    mounts: [{ mount: snapshot.mount, target: rootfs }, ...imageVolumes.map(({ snapshot: { mount }, target }) => ({ mount, target }))],
    imageVolumes: imageVolumes.map(({ snapshotId }) => snapshotId),
  };
}

/** The image's files belong to the pod's users. */
function ownersOf(users: IdMappings | undefined): SnapshotOptions {
  if (users === undefined) return {};
  const plain = (ids: IdMappings['uids']): readonly IdMapping[] =>
    ids.map(({ containerID: containerId, hostID: hostId, size: length }) => ({ containerId, hostId, length }));
  return { uidMappings: plain(users.uids), gidMappings: plain(users.gids) };
}

function apparmorProfile({ apparmor }: Host, profile: string | undefined): string | undefined {
  if (profile !== undefined && !apparmor) throw new RuntimeError('INVALID_ARGUMENT', 'AppArmor is not enabled on this machine');
  return profile?.replace(/^localhost\//, '');
}

async function ownMounts(
  { id, images, rootsDirectory, sandbox }: CreateInput,
  mounts: readonly Mount[],
): Promise<{ readonly mounts: readonly OciMount[]; readonly imageVolumes: readonly ImageVolume[] }> {
  const facts = readMountFacts();
  const imageVolumes: ImageVolume[] = [];
  const made: OciMount[] = [];
  for (const mount of mounts) {
    if (mount.image?.image !== undefined && mount.image.image !== '') {
      const volume = await imageVolume(
        images,
        mount,
        `${id}-volume-${imageVolumes.length}`,
        join(rootsDirectory, `volume-${imageVolumes.length}`),
        ownersOf(podUsers(sandbox.config)),
      );
      imageVolumes.push(volume);
      const source = join(volume.target, insideOf(mount.imageSubPath ?? ''));
      made.push({
        destination: mount.containerPath ?? '',
        type: 'bind',
        source,
        options: ['rbind', 'rprivate', 'ro', 'nosuid', 'nodev', 'noexec'],
      });
      continue;
    }
    made.push(volumeMount(mount, await mountSource(mount), facts));
  }
  return { mounts: made, imageVolumes };
}

/** A folder is made where there is nothing, as container runtimes do: what must exist was checked by the kubelet. */
async function mountSource({ hostPath = '', containerPath = '' }: Mount): Promise<string> {
  if (!hostPath.startsWith('/'))
    throw new RuntimeError('INVALID_ARGUMENT', `mount ${containerPath}: host path "${hostPath}" must be absolute`);
  return realpath(hostPath).catch(async (err: NodeJS.ErrnoException) => {
    if (err.code !== 'ENOENT') throw new RuntimeError('INVALID_ARGUMENT', `mount ${containerPath}: ${err.message}`, { cause: err });
    await mkdir(hostPath, { recursive: true, mode: 0o755 }).catch((cause: Error) => {
      throw new RuntimeError('INVALID_ARGUMENT', `mount ${containerPath}: cannot make ${hostPath}: ${cause.message}`, { cause });
    });
    return realpath(hostPath);
  });
}

async function imageVolume(
  images: ImageStore,
  mount: Mount,
  snapshotId: string,
  target: string,
  owners: SnapshotOptions,
): Promise<ImageVolume> {
  const reference = mount.image?.image ?? '';
  const image = images.resolve(reference);
  if (image === undefined) throw new RuntimeError('NOT_FOUND', `image "${reference}" of the volume at ${mount.containerPath} not found`);
  const snapshot = await images.snapshot(snapshotId, image, { readOnly: true, ...owners });
  await mkdir(target, { recursive: true });
  return { snapshotId, target, snapshot };
}

/** A path below another, whatever `..` it holds. */
const insideOf = (path: string): string => join('/', path).slice(1);
