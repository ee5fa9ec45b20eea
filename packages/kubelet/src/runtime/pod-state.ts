import type { ContainerStatus as CriContainerStatus, PodSandboxStatus } from '@orrery/cri';
import { containerHashAnnotation, containerNameLabel, restartCountAnnotation } from '../pod/labels.ts';

export type InstancePhase = 'created' | 'running' | 'exited' | 'unknown';

/** One run of a container, as the runtime tells it. */
export interface ContainerInstance {
  readonly id: string;
  readonly name: string;
  readonly phase: InstancePhase;
  /** Milliseconds since the epoch; 0 where it has not happened. */
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageId: string;
  /** Of the spec it was made from; see {@link containerHash}. */
  readonly hash: string;
  readonly restartCount: number;
  readonly logPath: string;
  readonly cri: CriContainerStatus;
}

/** A pod as the runtime tells it. */
export interface PodState {
  readonly uid: string;
  /** Newest first. */
  readonly sandboxes: readonly PodSandboxStatus[];
  /** Newest first, over all sandboxes. */
  readonly containers: readonly ContainerInstance[];
  /** Of the newest sandbox, when it is ready. */
  readonly ips: readonly string[];
}

export const emptyPodState = (uid: string): PodState => ({ uid, sandboxes: [], containers: [], ips: [] });

/** The newest run of `name`. */
export const findInstance = (state: PodState, name: string): ContainerInstance | undefined =>
  state.containers.find((instance) => instance.name === name);

const NANOS_PER_MS = 1e6;
export const msOfNanos = (nanos: number | undefined): number => Math.floor((nanos ?? 0) / NANOS_PER_MS);

const phases: Readonly<Record<string, InstancePhase>> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
};

function endReason(status: CriContainerStatus, phase: InstancePhase): string {
  if (phase !== 'exited') return '';
  if (status.reason !== undefined && status.reason !== '') return status.reason;
  return (status.exitCode ?? 0) === 0 ? 'Completed' : 'Error';
}

/** @param message - What the container left as its termination message. */
export function instanceOf(status: CriContainerStatus, message: string): ContainerInstance {
  const phase = phases[status.state ?? ''] ?? 'unknown';
  return {
    id: status.id ?? '',
    name: status.labels?.[containerNameLabel] ?? status.metadata?.name ?? '',
    phase,
    createdAtMs: msOfNanos(status.createdAt),
    startedAtMs: msOfNanos(status.startedAt),
    finishedAtMs: msOfNanos(status.finishedAt),
    exitCode: status.exitCode ?? 0,
    reason: endReason(status, phase),
    message: message === '' ? (status.message ?? '') : message,
    image: status.image?.userSpecifiedImage || status.image?.image || '',
    imageId: status.imageRef ?? status.imageId ?? '',
    hash: status.annotations?.[containerHashAnnotation] ?? '',
    restartCount: Number(status.annotations?.[restartCountAnnotation] ?? status.metadata?.attempt ?? 0),
    logPath: status.logPath ?? '',
    cri: status,
  };
}

/** The pod's addresses as its sandbox has them, the primary one first. */
export function sandboxIps(status: PodSandboxStatus | undefined): readonly string[] {
  if (status?.state !== 'SANDBOX_READY') return [];
  const primary = status.network?.ip ?? '';
  if (primary === '') return [];
  return [primary, ...(status.network?.additionalIps ?? []).flatMap(({ ip }) => (ip === undefined || ip === '' ? [] : [ip]))];
}

export interface SandboxChange {
  readonly changed: boolean;
  readonly attempt: number;
  /** The sandbox to go on with, or the newest dead one; empty when there never was one. */
  readonly sandboxId: string;
}

/** Whether the pod needs a new sandbox. Source: runtimeutil.PodSandboxChanged. */
export function sandboxChange(hostNetwork: boolean, state: PodState): SandboxChange {
  const [newest] = state.sandboxes;
  if (newest === undefined) return { changed: true, attempt: 0, sandboxId: '' };
  const id = newest.id ?? '';
  const next = (newest.metadata?.attempt ?? 0) + 1;
  const ready = state.sandboxes.filter((sandbox) => sandbox.state === 'SANDBOX_READY').length;
  if (ready > 1 || newest.state !== 'SANDBOX_READY') return { changed: true, attempt: next, sandboxId: id };
  const wasHost = newest.linux?.namespaces?.options?.network === 'NODE';
  if (newest.linux?.namespaces?.options?.network !== undefined && wasHost !== hostNetwork) {
    return { changed: true, attempt: next, sandboxId: '' };
  }
  if (!hostNetwork && (newest.network?.ip ?? '') === '') return { changed: true, attempt: next, sandboxId: id };
  return { changed: false, attempt: newest.metadata?.attempt ?? 0, sandboxId: id };
}
