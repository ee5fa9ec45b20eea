import type { ContainerStatus, Pod, PodStatus, ResourceRequirements } from '@orrery/api/core/v1';
import { formatTime } from '@orrery/apimachinery';
import type { ResizeState } from '../allocation/allocations.ts';
import { allContainers, isHostNetwork, isTerminalPhase } from '../pod/container-spec.ts';
import { findInstance, type PodState } from '../runtime/pod-state.ts';
import { podConditions } from './conditions.ts';
import { containerStatuses, type StartFailure } from './container-statuses.ts';
import { podPhase } from './phase.ts';

/** What the probes say of one running container. */
export interface Readiness {
  /** It has started: its startup probe succeeded, or it has none. */
  readonly started: boolean;
  /** It may take traffic: its readiness probe succeeded, or it has none. */
  readonly ready: boolean;
}

export interface StatusInput {
  readonly pod: Pod;
  readonly state: PodState;
  /** The status last generated, or the API's. */
  readonly previous: PodStatus;
  /** Nothing of the pod will start again. */
  readonly terminal: boolean;
  readonly runtimeName: string;
  readonly hostIps: readonly string[];
  readonly nowMs: number;
  readonly startFailure: (container: string) => StartFailure | undefined;
  readonly readiness: (containerName: string, containerId: string) => Readiness;
  /** What a running container really has, where that is not what its pod was granted. */
  readonly actuated?: (container: string) => ResourceRequirements | undefined;
  readonly resize?: ResizeState;
  /** Why the kubelet ends the pod: overrides phase, reason and message. */
  readonly eviction?: { readonly reason: string; readonly message: string; readonly disruption?: boolean } | undefined;
}

function withReadiness(input: StatusInput, status: ContainerStatus, regularInit: boolean): ContainerStatus {
  if (regularInit) return { ...status, ready: status.state?.terminated?.exitCode === 0, started: status.state?.running !== undefined };
  if (status.state?.running === undefined) return { ...status, ready: false, started: false };
  const id = status.containerID?.split('://')[1] ?? '';
  const { started, ready } = input.readiness(status.name, id);
  return { ...status, started, ready: started && ready };
}

function listStatuses(input: StatusInput, kind: 'init' | 'container' | 'ephemeral', previous: readonly ContainerStatus[] | undefined) {
  const specs = allContainers(input.pod.spec).filter((spec) => spec.kind === kind);
  const statuses = containerStatuses({
    pod: input.pod,
    state: input.state,
    kind,
    containers: specs.map(({ container }) => container),
    previous: previous ?? [],
    runtimeName: input.runtimeName,
    startFailure: input.startFailure,
    actuated: input.actuated ?? (() => undefined),
  });
  if (kind === 'ephemeral') return statuses;
  return statuses.map((status) => {
    const spec = specs.find(({ container }) => container.name === status.name)?.container;
    return withReadiness(input, status, kind === 'init' && spec?.restartPolicy !== 'Always');
  });
}

/** The kubelet ends the pod, and nothing of it runs any more: only then has it failed. */
const isEnded = ({ eviction, state }: StatusInput): boolean =>
  eviction !== undefined && !state.containers.some(({ phase }) => phase === 'running');

function phaseOf(input: StatusInput, statuses: readonly ContainerStatus[]): string {
  const { pod, previous, state } = input;
  if (isTerminalPhase(pod.status?.phase)) return pod.status?.phase ?? ''; // No way back from a terminal phase.
  if (isEnded(input)) return 'Failed';
  const initialized = pod.spec.containers.some(({ name }) => {
    const phase = findInstance(state, name)?.phase;
    return phase === 'running' || phase === 'exited';
  });
  const phase = podPhase({ spec: pod.spec, statuses, terminal: input.terminal, initialized });
  return isTerminalPhase(previous.phase) && !isTerminalPhase(phase) ? (previous.phase ?? phase) : phase;
}

function reasonOf(input: StatusInput, phase: string): Pick<PodStatus, 'reason' | 'message'> {
  const { pod, previous } = input;
  const kept =
    phase === previous.phase ? { reason: previous.reason || pod.status?.reason, message: previous.message || pod.status?.message } : {};
  const { reason, message } = (isEnded(input) ? input.eviction : undefined) ?? kept;
  return { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}

function addresses({ pod, state, previous, hostIps }: StatusInput): Partial<PodStatus> {
  const own = isHostNetwork(pod) ? hostIps : state.ips;
  const kept = own.length > 0 ? own : (previous.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  const [podIP] = kept;
  const [hostIP] = hostIps;
  return {
    ...(hostIP === undefined ? {} : { hostIP, hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(podIP === undefined ? {} : { podIP, podIPs: kept.map((ip) => ({ ip })) }),
  };
}

const disruptionOf = ({ eviction }: StatusInput): string | undefined => (eviction?.disruption === true ? eviction.message : undefined);

/** The pod's status as the API is to show it. Source: kubelet generateAPIPodStatus. */
export function generateStatus(input: StatusInput): PodStatus {
  const { pod, previous } = input;
  const init = listStatuses(input, 'init', previous.initContainerStatuses);
  const regular = listStatuses(input, 'container', previous.containerStatuses);
  const ephemeral = listStatuses(input, 'ephemeral', previous.ephemeralContainerStatuses);
  const statuses = [...init, ...regular];
  const phase = phaseOf(input, statuses);
  const now = formatTime(input.nowMs);
  const api = pod.status ?? {};
  const conditions = podConditions(
    { pod, phase, statuses, state: input.state, resize: input.resize ?? {}, disruption: disruptionOf(input) },
    previous.conditions ?? api.conditions ?? [],
    now,
  );
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions,
    ...reasonOf(input, phase),
    ...addresses(input),
    startTime: previous.startTime ?? api.startTime ?? now,
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: regular,
    ...(api.qosClass === undefined ? {} : { qosClass: api.qosClass }),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  };
}
