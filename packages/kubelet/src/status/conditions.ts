import type { Container, ContainerStatus, Pod, PodCondition } from '@orrery/api/core/v1';
import type { ResizeState } from '../allocation/allocations.ts';
import { isHostNetwork, isSidecar } from '../pod/container-spec.ts';
import { type PodState, sandboxChange } from '../runtime/pod-state.ts';

/** The conditions that the kubelet owns; all others are kept as they are. Source: kubetypes.PodConditionsByKubelet. */
const ownTypes: ReadonlySet<string> = new Set([
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'PodResizePending',
  'PodResizeInProgress',
]);
export const isKubeletCondition = (type: string): boolean => ownTypes.has(type);

/** Others write it too: the kubelet adds it, and never takes it away (KEP-3329). */
export const DISRUPTION_TARGET = 'DisruptionTarget';

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>;
const yes: Verdict = { status: 'True' };
const no = (reason: string, message?: string): Verdict => ({ status: 'False', reason, ...(message === undefined ? {} : { message }) });

/** Go's `%v` of a string slice. */
const list = (names: readonly string[]): string => `[${names.join(' ')}]`;

function problems(unknown: readonly string[], known: readonly string[], what: string): string {
  return [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(known.length > 0 ? [`containers with ${what} status: ${list(known)}`] : []),
  ].join(', ');
}

export interface ConditionInput {
  readonly pod: Pod;
  readonly phase: string;
  /** Of init and regular containers. */
  readonly statuses: readonly ContainerStatus[];
  readonly state: PodState;
  readonly resize: ResizeState;
  /** Why the pod goes for its node's sake. */
  readonly disruption?: string | undefined;
}

function split(
  containers: readonly Container[],
  statuses: readonly ContainerStatus[],
  good: (c: Container, s: ContainerStatus) => boolean,
) {
  const unknown: string[] = [];
  const bad: string[] = [];
  for (const container of containers) {
    const status = statuses.find(({ name }) => name === container.name);
    if (status === undefined) unknown.push(container.name);
    else if (!good(container, status)) bad.push(container.name);
  }
  return { unknown, bad };
}

function containersReady({ pod, phase, statuses }: ConditionInput): Verdict {
  const watched = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const { unknown, bad } = split(watched, statuses, (_, { ready }) => ready);
  if (phase === 'Succeeded' && unknown.length === 0) return no('PodCompleted');
  if (phase === 'Failed') return no('PodFailed');
  const message = problems(unknown, bad, 'unready');
  return message === '' ? yes : no('ContainersNotReady', message);
}

function ready(input: ConditionInput, conditions: readonly PodCondition[]): Verdict {
  const containers = containersReady(input);
  if (containers.status !== 'True') return containers;
  const missing = (input.pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const status = conditions.find(({ type }) => type === conditionType)?.status;
    if (status === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    return status === 'True' ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${status}`];
  });
  return missing.length === 0 ? yes : no('ReadinessGatesNotReady', missing.join(', '));
}

function initialized({ pod, phase, statuses }: ConditionInput): Verdict {
  const done = (container: Container, status: ContainerStatus): boolean => (isSidecar(container) ? status.started === true : status.ready);
  const { unknown, bad } = split(pod.spec.initContainers ?? [], statuses, done);
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' };
  const started = pod.spec.containers.some(({ name }) => {
    const status = statuses.find((candidate) => candidate.name === name);
    return status?.state?.running !== undefined || status?.state?.terminated !== undefined || status?.lastState?.terminated !== undefined;
  });
  if (started) return yes;
  const message = problems(unknown, bad, 'incomplete');
  return message === '' ? yes : no('ContainersNotInitialized', message);
}

/** Only there while a change of resources is under way; observed is the generation that asked for it. Source: KEP-1287. */
function resizeVerdicts({ phase, resize: { pending, progress } }: ConditionInput): readonly (readonly [string, Verdict, number])[] {
  if (phase === 'Failed' || phase === 'Succeeded') return [];
  const failed = progress?.error === undefined ? {} : { reason: 'Error', message: progress.error };
  return [
    ...(pending === undefined
      ? []
      : [['PodResizePending', { status: 'True', reason: pending.reason, message: pending.message }, pending.generation] as const]),
    ...(progress === undefined ? [] : [['PodResizeInProgress', { status: 'True', ...failed }, progress.generation] as const]),
  ];
}

/**
 * All conditions of the pod, in upstream's order; transition times are kept from `pod.status` where the status is the same.
 * Source: kubelet status/generate.go.
 */
export function podConditions(input: ConditionInput, previous: readonly PodCondition[], now: string): readonly PodCondition[] {
  const { pod } = input;
  const { disruption } = input;
  const foreign = (pod.status?.conditions ?? []).filter(
    ({ type }) => !isKubeletCondition(type) && (type !== DISRUPTION_TARGET || disruption === undefined),
  );
  const sandboxReady = !sandboxChange(isHostNetwork(pod), input.state).changed;
  const own: readonly (readonly [string, Verdict])[] = [
    ['PodReadyToStartContainers', { status: sandboxReady ? 'True' : 'False' }],
    ['Initialized', initialized(input)],
    ['Ready', ready(input, foreign)],
    ['ContainersReady', containersReady(input)],
    ['PodScheduled', yes],
    ...(disruption === undefined
      ? []
      : [[DISRUPTION_TARGET, { status: 'True', reason: 'TerminationByKubelet', message: disruption }] as const]),
  ];
  const dated = [...own.map((entry) => [...entry, pod.metadata.generation] as const), ...resizeVerdicts(input)].map(
    ([type, verdict, generation]): PodCondition => {
      const old = previous.find((condition) => condition.type === type);
      const since = old?.status === verdict.status ? (old.lastTransitionTime ?? now) : now;
      const observed = generation === undefined ? {} : { observedGeneration: generation };
      return { type, ...verdict, ...observed, lastTransitionTime: since };
    },
  );
  return [...foreign, ...dated];
}
