import type { Container, EphemeralContainer, Pod, PodSpec } from '@orrery/api/core/v1';

export type ContainerKind = 'container' | 'init' | 'ephemeral';

/** A container of a pod, whichever list it stands in. */
export interface ContainerSpec {
  readonly kind: ContainerKind;
  readonly container: Container;
  /** Ephemeral containers: the container whose process namespace they join. */
  readonly targetContainerName?: string | undefined;
}

/** An init container with restartPolicy Always: started in order, kept running, stopped last. Source: KEP-753. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

const asContainer = (ephemeral: EphemeralContainer): Container => {
  const { targetContainerName: _, ...container } = ephemeral;
  return container;
};

/** Every container of the pod: init, then regular, then ephemeral ones. */
export function allContainers(spec: PodSpec): readonly ContainerSpec[] {
  return [
    ...(spec.initContainers ?? []).map((container) => ({ kind: 'init' as const, container })),
    ...spec.containers.map((container) => ({ kind: 'container' as const, container })),
    ...(spec.ephemeralContainers ?? []).map((ephemeral) => ({
      kind: 'ephemeral' as const,
      container: asContainer(ephemeral),
      targetContainerName: ephemeral.targetContainerName,
    })),
  ];
}

export const findContainer = (pod: Pod, name: string): ContainerSpec | undefined =>
  allContainers(pod.spec).find(({ container }) => container.name === name);

/** `name_namespace(uid)`: how the kubelet's messages name a pod. Source: format.Pod. */
export const formatPod = ({ metadata }: Pod): string => `${metadata.name}_${metadata.namespace ?? ''}(${metadata.uid})`;

export const isHostNetwork = (pod: Pod): boolean => pod.spec.hostNetwork === true;

const matchesExitCode = (operator: string, values: readonly number[], exitCode: number): boolean =>
  operator === 'In' ? values.includes(exitCode) : operator === 'NotIn' && !values.includes(exitCode);

/**
 * Whether a container that ended with `exitCode` is started again: its restart rules first, then its own policy, then the pod's.
 * Source: KEP-5307 (container restart rules).
 */
export function shouldRestart(container: Container, spec: PodSpec, exitCode: number): boolean {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    if (action !== 'Restart' || exitCodes === undefined) continue;
    if (matchesExitCode(exitCodes.operator, exitCodes.values ?? [], exitCode)) return true;
  }
  const policy = container.restartPolicy ?? spec.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** FNV-1a of the fields whose change restarts a container (name and image), in hexadecimal. Source: kubecontainer.HashContainer. */
export function containerHash({ name, image }: Container): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify({ name, image }))) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16);
}

export const isTerminalPhase = (phase: string | undefined): boolean => phase === 'Failed' || phase === 'Succeeded';
