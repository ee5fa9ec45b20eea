import { type Mount, type MountPropagation, RuntimeError } from '@orrery/cri';
import { lastGroup } from '../host/last-group.ts';
import { type IdMappings, mappingsOf } from './id-mappings.ts';
import type { OciLinux, OciMount } from './oci.ts';

const TTY_GROUP = 5; // A user namespace of one id has no such group.

/** Files of the sandbox that every container sees unless its pod mounts others there. Absolute host paths. */
export interface SandboxFiles {
  readonly shm: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export interface DefaultMountInput {
  readonly privileged: boolean;
  readonly readonlyRootfs: boolean;
  readonly files: SandboxFiles;
  /** No cgroup file system can be mounted here (rootless without delegation). @default true */
  readonly cgroup?: boolean;
  /** The pod has users of its own: the sandbox's files belong to them inside. @default the host's */
  readonly users?: IdMappings | undefined;
}

/**
 * crun's words: files appear as owned by the users that a user namespace maps theirs to. The ids are named, as crun does not find the pod's
 * own in a pod that shares its processes.
 */
function mapped({ uids, gids }: IdMappings): string {
  const text = (ids: IdMappings['uids']): string =>
    ids.map(({ containerID, hostID, size }) => `${containerID}-${hostID}-${size}`).join('#');
  return `idmap=uids=${text(uids)};gids=${text(gids)}`;
}

/** What every container has mounted, parents first. */
export function defaultMounts({ privileged, readonlyRootfs, files, cgroup = true, users }: DefaultMountInput): readonly OciMount[] {
  const access = privileged ? 'rw' : 'ro';
  const owners = users === undefined ? [] : [mapped(users)];
  const file = (destination: string, source: string): OciMount => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', readonlyRootfs ? 'ro' : 'rw', ...owners],
  });
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...(lastGroup() < TTY_GROUP ? [] : [`gid=${TTY_GROUP}`])],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] },
    ...(cgroup
      ? [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', access] }]
      : []),
    { destination: '/dev/shm', type: 'bind', source: files.shm, options: ['rbind', 'rprivate', 'rw', ...owners] },
    file('/etc/hosts', files.hosts),
    file('/etc/hostname', files.hostname),
    file('/etc/resolv.conf', files.resolvConf),
  ];
}

/** What the machine's mount table says about a path. */
export interface MountFacts {
  /** Whether the mount that holds the path passes mounts on to others. */
  isShared(path: string): boolean;
  /** Whether it gets mounts from others; shared ones do. */
  isSlave(path: string): boolean;
}

const propagationOptions: Readonly<Record<MountPropagation, string>> = {
  PROPAGATION_PRIVATE: 'rprivate',
  PROPAGATION_HOST_TO_CONTAINER: 'rslave',
  PROPAGATION_BIDIRECTIONAL: 'rshared',
};

/**
 * A pod's mount, its source resolved already.
 * @throws {RuntimeError} `FAILED_PRECONDITION` when the host's mount cannot propagate as asked, `INVALID_ARGUMENT` when the request contradicts itself.
 */
export function volumeMount(mount: Mount, source: string, facts: MountFacts): OciMount {
  const { containerPath = '', readonly = false, recursiveReadOnly = false, propagation = 'PROPAGATION_PRIVATE' } = mount;
  if (propagation === 'PROPAGATION_BIDIRECTIONAL' && !facts.isShared(source))
    throw new RuntimeError(
      'FAILED_PRECONDITION',
      `path "${source}" is mounted on a mount that is not shared: make it so with mount --make-rshared`,
    );
  if (propagation === 'PROPAGATION_HOST_TO_CONTAINER' && !facts.isShared(source) && !facts.isSlave(source))
    throw new RuntimeError('FAILED_PRECONDITION', `path "${source}" is mounted on a mount that is neither shared nor slave`);
  if (recursiveReadOnly && !readonly)
    throw new RuntimeError('INVALID_ARGUMENT', `mount ${containerPath}: recursive read-only needs a read-only mount`);
  if (recursiveReadOnly && propagation !== 'PROPAGATION_PRIVATE')
    throw new RuntimeError('INVALID_ARGUMENT', `mount ${containerPath}: recursive read-only needs private propagation`);
  const { uidMappings: uids = [], gidMappings: gids = [] } = mount;
  const owners = uids.length > 0 ? [mapped(mappingsOf({ uids, gids }))] : [];
  return {
    destination: containerPath,
    type: 'bind',
    source,
    options: ['rbind', propagationOptions[propagation], recursiveReadOnly ? 'rro' : readonly ? 'ro' : 'rw', ...owners],
  };
}

/** Own mounts replace defaults at the same place; what lies inside another comes after it. */
export function orderedMounts(defaults: readonly OciMount[], own: readonly OciMount[]): readonly OciMount[] {
  const replaced = new Set(own.map(({ destination }) => cleanPath(destination)));
  // A volume on a system directory hides what stands in it by default.
  const hidden = (path: string): boolean =>
    [...replaced].some((place) => path === place || (place !== '/dev' && path.startsWith(`${place}/`)));
  const kept = defaults.filter(({ destination }) => !hidden(destination));
  const depth = ({ destination }: OciMount): number => cleanPath(destination).split('/').length;
  return [...kept, ...[...own].sort((a, b) => depth(a) - depth(b))];
}

const cleanPath = (path: string): string => (path.length > 1 ? path.replace(/\/+/g, '/').replace(/\/$/, '') : path);

/** The root mount has to propagate at least as far as the mounts in it. */
export function rootPropagation(mounts: readonly Mount[]): OciLinux['rootfsPropagation'] {
  const kinds = new Set(mounts.map(({ propagation }) => propagation));
  if (kinds.has('PROPAGATION_BIDIRECTIONAL')) return 'rshared';
  return kinds.has('PROPAGATION_HOST_TO_CONTAINER') ? 'rslave' : undefined;
}
