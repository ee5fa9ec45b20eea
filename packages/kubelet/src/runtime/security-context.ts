import type { Container, Pod, SeccompProfile } from '@orrery/api/core/v1';
import type { LinuxContainerSecurityContext, NamespaceOption, SecurityProfile, UserNamespace } from '@orrery/cri';
import type { PresentImage } from './images.ts';

const profileTypes: Readonly<Record<string, NonNullable<SecurityProfile['profileType']>>> = {
  RuntimeDefault: 'RuntimeDefault',
  Unconfined: 'Unconfined',
  Localhost: 'Localhost',
};

export function securityProfile(profile: SeccompProfile | undefined): SecurityProfile {
  const profileType = profileTypes[profile?.type ?? 'Unconfined'] ?? 'Unconfined';
  return { profileType, ...(profile?.localhostProfile === undefined ? {} : { localhostRef: profile.localhostProfile }) };
}

/**
 * @param users - Ids of the pod's own, when it has any.
 * @param targetId - Container whose process namespace is joined.
 */
export function namespaceOptions({ spec }: Pod, users: UserNamespace | undefined, targetId?: string): NamespaceOption {
  const pid = spec.hostPID === true ? 'NODE' : spec.shareProcessNamespace === true ? 'POD' : 'CONTAINER';
  return {
    network: spec.hostNetwork === true ? 'NODE' : 'POD',
    ipc: spec.hostIPC === true ? 'NODE' : 'POD',
    ...(users === undefined ? {} : { usernsOptions: users }),
    ...(targetId === undefined ? { pid } : { pid: 'TARGET' as const, targetId }),
  };
}

const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** @throws {Error} when the container must not run as root and would. Source: kuberuntime verifyRunAsNonRoot. */
export function verifyNonRoot(pod: Pod, container: Container, image: PresentImage): void {
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  if (nonRoot !== true) return;
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})", container: ${container.name})`;
  if (user === 0) throw new Error(`container's runAsUser breaks non-root policy ${where}`);
  if (user !== undefined) return;
  if (image.uid === 0) throw new Error(`container has runAsNonRoot and image will run as root ${where}`);
  if (image.uid === undefined && image.username !== '') {
    throw new Error(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    );
  }
}

export function containerSecurity(
  pod: Pod,
  container: Container,
  image: PresentImage,
  users: UserNamespace | undefined,
  targetId: string | undefined,
): LinuxContainerSecurityContext {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser ?? image.uid;
  const group = own.runAsGroup ?? shared.runAsGroup;
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  const privileged = own.privileged === true;
  const unmasked = privileged || own.procMount === 'Unmasked';
  return {
    privileged,
    readonlyRootfs: own.readOnlyRootFilesystem === true,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    namespaceOptions: namespaceOptions(pod, users, targetId),
    supplementalGroups: groups,
    seccomp: securityProfile(own.seccompProfile ?? shared.seccompProfile),
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
    ...(shared.supplementalGroupsPolicy === undefined
      ? {}
      : { supplementalGroupsPolicy: shared.supplementalGroupsPolicy === 'Strict' ? 'Strict' : 'Merge' }),
    ...(own.capabilities === undefined
      ? {}
      : { capabilities: { addCapabilities: own.capabilities.add ?? [], dropCapabilities: own.capabilities.drop ?? [] } }),
    ...(user === undefined ? (image.username === '' ? {} : { runAsUsername: image.username }) : { runAsUser: { value: user } }),
    ...(group === undefined ? {} : { runAsGroup: { value: group } }),
  };
}
