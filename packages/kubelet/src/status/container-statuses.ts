import type { Container, ContainerState, ContainerStatus, Pod, ResourceRequirements } from '@orrery/api/core/v1';
import { formatTime } from '@orrery/apimachinery';
import { type ContainerKind, isSidecar } from '../pod/container-spec.ts';
import { isInitialized, shouldStart } from '../runtime/actions.ts';
import { type ContainerInstance, findInstance, type PodState } from '../runtime/pod-state.ts';

/** Why a container could not be started, until it is. */
export interface StartFailure {
  /** As `CrashLoopBackOff`. */
  readonly reason: string;
  readonly message: string;
}

export interface ContainerStatusInput {
  readonly pod: Pod;
  readonly state: PodState;
  readonly kind: ContainerKind;
  readonly containers: readonly Container[];
  readonly previous: readonly ContainerStatus[];
  /** As `containerd`: the scheme of container ids. */
  readonly runtimeName: string;
  readonly startFailure: (container: string) => StartFailure | undefined;
  /** What the running container really has; `undefined` when it is what its pod was granted. */
  readonly actuated: (container: string) => ResourceRequirements | undefined;
}

function stateOf(instance: ContainerInstance, containerID: string, before: ContainerStatus | undefined): ContainerState {
  switch (instance.phase) {
    case 'running':
      return { running: { startedAt: formatTime(instance.startedAtMs) } };
    case 'exited':
      return {
        terminated: {
          exitCode: instance.exitCode,
          ...(instance.reason === '' ? {} : { reason: instance.reason }),
          ...(instance.message === '' ? {} : { message: instance.message }),
          ...(instance.startedAtMs === 0 ? {} : { startedAt: formatTime(instance.startedAtMs) }),
          ...(instance.finishedAtMs === 0 ? {} : { finishedAt: formatTime(instance.finishedAtMs) }),
          containerID,
        },
      };
    case 'unknown':
      if (before?.state?.running === undefined) return { waiting: {} };
      return {
        terminated: {
          reason: 'ContainerStatusUnknown',
          message: 'The container could not be located when the pod was terminated',
          exitCode: 137,
        },
      };
    default:
      return { waiting: {} };
  }
}

function mountStatuses(container: Container): Pick<ContainerStatus, 'volumeMounts'> {
  if (container.volumeMounts === undefined || container.volumeMounts.length === 0) return {};
  return {
    volumeMounts: container.volumeMounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly === true ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
    })),
  };
}

function userOf({ cri }: ContainerInstance): Pick<ContainerStatus, 'user'> {
  const linux = cri.user?.linux;
  if (linux === undefined) return {};
  const groups = linux.supplementalGroups ?? [];
  return {
    user: { linux: { uid: linux.uid ?? 0, gid: linux.gid ?? 0, ...(groups.length === 0 ? {} : { supplementalGroups: groups }) } },
  };
}

function resourcesOf(
  { actuated, kind }: ContainerStatusInput,
  container: Container,
  { phase }: ContainerInstance,
): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  if (kind === 'ephemeral') return {};
  const { requests } = container.resources ?? {};
  const own = phase === 'running' ? actuated(container.name) : undefined;
  return { resources: own ?? container.resources ?? {}, ...(requests === undefined ? {} : { allocatedResources: requests }) };
}

/** The end of the run before, where the API still shows it and the runtime may have dropped it. */
function lastStateBefore(containerID: string, before: ContainerStatus | undefined): ContainerState | undefined {
  if (before === undefined || before.containerID === containerID) return before?.lastState;
  return before.state?.terminated === undefined ? before.lastState : { terminated: before.state.terminated };
}

/** The status of a container that the runtime knows. */
function fromInstance(
  input: ContainerStatusInput,
  container: Container,
  instance: ContainerInstance,
  before: ContainerStatus | undefined,
): ContainerStatus {
  const containerID = `${input.runtimeName}://${instance.id}`;
  const lost = instance.phase === 'unknown' && before?.state?.running !== undefined;
  const lastState = lastStateBefore(containerID, before);
  const stopSignal = instance.cri.stopSignal;
  return {
    name: container.name,
    state: stateOf(instance, containerID, before),
    ...(lastState === undefined ? {} : { lastState }),
    ready: false,
    restartCount: lost ? (before?.restartCount ?? 0) + 1 : instance.restartCount,
    image: instance.image,
    imageID: instance.imageId,
    containerID,
    ...resourcesOf(input, container, instance),
    ...mountStatuses(container),
    ...userOf(instance),
    ...(stopSignal === undefined || stopSignal === 'RUNTIME_DEFAULT' ? {} : { stopSignal }),
  };
}

const unlocated = {
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was deleted.  The container used to be Running',
  exitCode: 137,
};

/** The status of a container that the runtime does not know. */
function fromNothing(input: ContainerStatusInput, container: Container, before: ContainerStatus | undefined): ContainerStatus {
  if (before?.state?.terminated !== undefined) return before;
  const hasInit = (input.pod.spec.initContainers?.length ?? 0) > 0;
  const wasRunning = before?.state?.running !== undefined;
  const lost = wasRunning && before?.lastState?.terminated === undefined;
  const lastState = lost ? { terminated: unlocated } : before?.lastState;
  const restarts = before?.restartCount ?? 0;
  return {
    name: container.name,
    state: { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } },
    ...(lastState === undefined ? {} : { lastState }),
    ready: false,
    restartCount: lost && input.pod.metadata.deletionTimestamp === undefined ? restarts + 1 : restarts,
    image: container.image ?? '',
    imageID: '',
    ...mountStatuses(container),
  };
}

/** What the runs before the newest tell: the state of the second newest is the last state. */
function lastStateOf(input: ContainerStatusInput, name: string): ContainerState | undefined {
  const second = input.state.containers.filter((instance) => instance.name === name)[1];
  return second === undefined ? undefined : stateOf(second, `${input.runtimeName}://${second.id}`, undefined);
}

const doneWithoutTrace: ContainerState = {
  terminated: {
    reason: 'Completed',
    message: 'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally',
    exitCode: 0,
  },
};

/** A container that is to be started but could not be is *Waiting*, with the reason. */
function withStartFailure(input: ContainerStatusInput, container: Container, status: ContainerStatus): ContainerStatus {
  const instance = findInstance(input.state, container.name);
  if (input.kind === 'init') {
    if (instance?.phase === 'exited' && instance.exitCode === 0 && !isSidecar(container)) return status;
    const traceless = instance === undefined && !isSidecar(container) && status.state?.waiting !== undefined;
    if (traceless && isInitialized(input.pod, input.state)) return { ...status, state: doneWithoutTrace };
  }
  if (!shouldStart(container, input.pod, input.state)) return status;
  const failure = input.startFailure(container.name);
  if (failure === undefined) return status;
  const waiting = { reason: failure.reason, ...(failure.message === '' ? {} : { message: failure.message }) };
  return {
    ...status,
    ...(status.state?.terminated === undefined ? {} : { lastState: status.state }),
    state: { waiting },
  };
}

/** Statuses of one list of the pod's containers: init containers in spec order, others by name. Source: convertToAPIContainerStatuses. */
export function containerStatuses(input: ContainerStatusInput): readonly ContainerStatus[] {
  const statuses = input.containers.map((container) => {
    const before = input.previous.find(({ name }) => name === container.name);
    const instance = findInstance(input.state, container.name);
    const status = instance === undefined ? fromNothing(input, container, before) : fromInstance(input, container, instance, before);
    const lastState = lastStateOf(input, container.name);
    return withStartFailure(input, container, lastState === undefined ? status : { ...status, lastState });
  });
  return input.kind === 'init' ? statuses : statuses.sort((a, b) => (a.name < b.name ? -1 : 1));
}
