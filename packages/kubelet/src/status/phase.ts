import type { Container, ContainerStatus, PodSpec } from '@orrery/api/core/v1';
import { isSidecar, shouldRestart } from '../pod/container-spec.ts';

interface Counts {
  pendingInit: number;
  pendingSidecars: number;
  failedInit: number;
  unknown: number;
  running: number;
  waiting: number;
  stopped: number;
  stoppedForGood: number;
  succeeded: number;
}

type Statuses = ReadonlyMap<string, ContainerStatus>;

function countInit(container: Container, spec: PodSpec, status: ContainerStatus | undefined, counts: Counts): void {
  const { running, terminated, waiting } = status?.state ?? {};
  const ended = terminated ?? (waiting === undefined ? undefined : status?.lastState?.terminated);
  if (running !== undefined || ended === undefined) counts.pendingInit += 1;
  else if (ended.exitCode !== 0 && !shouldRestart(container, spec, ended.exitCode)) counts.failedInit += 1;
  else if (ended.exitCode !== 0 && waiting !== undefined) counts.pendingInit += 1;
}

function countSidecar(status: ContainerStatus | undefined, counts: Counts): void {
  const { running, terminated, waiting } = status?.state ?? {};
  if (running !== undefined) {
    if (status?.started !== true) counts.pendingSidecars += 1;
    counts.running += 1;
  } else if (terminated !== undefined || (waiting !== undefined && status?.lastState?.terminated !== undefined)) {
    return; // An ended sidecar says nothing of the pod's phase.
  } else if (waiting !== undefined) {
    counts.pendingSidecars += 1;
    counts.waiting += 1;
  } else {
    counts.unknown += 1;
  }
}

function countRegular(container: Container, spec: PodSpec, status: ContainerStatus | undefined, counts: Counts): void {
  const { running, terminated, waiting } = status?.state ?? {};
  const last = waiting === undefined ? undefined : status?.lastState?.terminated;
  if (running !== undefined) counts.running += 1;
  else if (terminated !== undefined || last !== undefined) {
    const exitCode = (terminated ?? last)?.exitCode ?? 0;
    counts.stopped += 1;
    if (!shouldRestart(container, spec, exitCode)) counts.stoppedForGood += 1;
    if (terminated !== undefined && exitCode === 0) counts.succeeded += 1;
  } else if (waiting !== undefined) counts.waiting += 1;
  else counts.unknown += 1;
}

function count(spec: PodSpec, statuses: Statuses): Counts {
  const counts: Counts = {
    pendingInit: 0,
    pendingSidecars: 0,
    failedInit: 0,
    unknown: 0,
    running: 0,
    waiting: 0,
    stopped: 0,
    stoppedForGood: 0,
    succeeded: 0,
  };
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) countSidecar(statuses.get(container.name), counts);
    else countInit(container, spec, statuses.get(container.name), counts);
  }
  for (const container of spec.containers) countRegular(container, spec, statuses.get(container.name), counts);
  return counts;
}

export interface PhaseInput {
  readonly spec: PodSpec;
  /** Of init and regular containers. */
  readonly statuses: readonly ContainerStatus[];
  /** Nothing of the pod will start again. */
  readonly terminal: boolean;
  /** A regular container runs or has run in the current sandbox. */
  readonly initialized: boolean;
}

/** The phase that the containers' statuses make. Source: kubelet getPhase. */
export function podPhase({ spec, statuses, terminal, initialized }: PhaseInput): 'Pending' | 'Running' | 'Succeeded' | 'Failed' {
  const counts = count(spec, new Map(statuses.map((status) => [status.name, status])));
  if (counts.failedInit > 0) return 'Failed';
  if (counts.pendingInit > 0 || (counts.pendingSidecars > 0 && !initialized) || counts.waiting > 0) return 'Pending';
  if (counts.unknown > 0) return 'Pending';
  if (counts.running > 0) return 'Running';
  if (counts.stopped === 0) return 'Pending';
  if (!terminal && counts.stopped !== counts.stoppedForGood) return 'Running';
  return counts.stopped === counts.succeeded ? 'Succeeded' : 'Failed';
}
