import type { LinuxContainerSecurityContext } from '@orrery/cri';
import type { ContainerDevices } from './devices.ts';
import type { OciCapabilities, OciIdMapping, OciMount, OciNamespace, OciResources, OciSeccomp, OciSpec, OciUser } from './oci.ts';

export interface SpecInput {
  /** Host path where the root file system is mounted when the runtime starts. */
  readonly rootfs: string;
  readonly context: LinuxContainerSecurityContext;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly terminal: boolean;
  readonly user: OciUser;
  readonly capabilities: OciCapabilities;
  readonly seccomp: OciSeccomp | undefined;
  readonly namespaces: readonly OciNamespace[];
  readonly mounts: readonly OciMount[];
  readonly rootfsPropagation: OciSpec['linux']['rootfsPropagation'];
  readonly devices: ContainerDevices;
  readonly resources: OciResources;
  readonly cgroupsPath: string | undefined;
  readonly oomScoreAdj: number | undefined;
  readonly hostname: string;
  /** Of the pod; only those that the container's namespaces own. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly idMappings: { readonly uids: readonly OciIdMapping[]; readonly gids: readonly OciIdMapping[] } | undefined;
  readonly apparmorProfile: string | undefined;
}

/** Paths below /proc and /sys that tell of the host or change it: hidden and read-only unless the pod says otherwise (`procMount`). */
export const defaultMaskedPaths: readonly string[] = [
  ...['asound', 'acpi', 'interrupts', 'kcore', 'keys', 'latency_stats', 'timer_list', 'timer_stats', 'sched_debug', 'scsi'].map(
    (name) => `/proc/${name}`,
  ),
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
export const defaultReadonlyPaths: readonly string[] = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`);

/** `config.json` of one container. Pure: everything that had to be looked up is in the input. */
export function containerSpec(input: SpecInput): OciSpec {
  const { context, namespaces, oomScoreAdj, sysctls, apparmorProfile, seccomp, rootfsPropagation, cgroupsPath, idMappings } = input;
  const { privileged = false, readonlyRootfs = false, noNewPrivs = false } = context;
  const ownNames = namespaces.some(({ type }) => type === 'uts');
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: input.terminal,
      user: input.user,
      args: input.args,
      env: input.env,
      cwd: input.cwd,
      capabilities: input.capabilities,
      noNewPrivileges: noNewPrivs,
      ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
      ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    },
    root: { path: input.rootfs, readonly: readonlyRootfs },
    ...(ownNames && input.hostname !== '' ? { hostname: input.hostname } : {}),
    mounts: input.mounts,
    linux: {
      namespaces,
      ...(idMappings === undefined ? {} : { uidMappings: idMappings.uids, gidMappings: idMappings.gids }),
      devices: input.devices.devices,
      ...(cgroupsPath === undefined ? {} : { cgroupsPath }),
      resources: { ...input.resources, devices: input.devices.rules },
      ...(rootfsPropagation === undefined ? {} : { rootfsPropagation }),
      ...(seccomp === undefined ? {} : { seccomp }),
      ...(Object.keys(sysctls).length === 0 ? {} : { sysctl: sysctls }),
      maskedPaths: privileged ? [] : (context.maskedPaths ?? defaultMaskedPaths),
      readonlyPaths: privileged ? [] : (context.readonlyPaths ?? defaultReadonlyPaths),
    },
  };
}
