import type { Container, ContainerState, ContainerStatus, Pod } from '@orrery/api/core/v1';
import type { ContainerView, PodState } from '../protocol.ts';

export interface PodStatusView {
  readonly state: PodState;
  readonly reason: string;
  readonly message: string;
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
}

/** What kubectl shows as a pod's status, and the few states that a page can tell apart by shape. Source of the words: printPod. */
export function podStatusOf(pod: Pod): PodStatusView {
  const { spec, status = {} } = pod;
  const init = (status.initContainerStatuses ?? []).map((one, index) => ({ ...one, spec: spec?.initContainers?.[index] }));
  const main = status.containerStatuses ?? [];
  const sidecars = init.filter(({ spec }) => isSidecar(spec));
  const blocked = init.findIndex(({ state, started, spec }) => state?.terminated?.exitCode !== 0 && !(isSidecar(spec) && started === true));
  const culprit = blocked >= 0 ? init[blocked] : main.find(({ state }) => state?.running === undefined && problemOf(state) !== '');
  const reason = terminating(pod) ?? (blocked >= 0 ? initReason(init[blocked], blocked, init.length) : mainReason(pod, main));
  const counted = [...main, ...sidecars];
  return {
    state: stateOf(pod, reason, counted),
    reason,
    message: messageOf(pod, culprit),
    ready: counted.filter((one) => one.ready).length,
    total: (spec?.containers?.length ?? 0) + (spec?.initContainers ?? []).filter(isSidecar).length,
    restarts: (blocked >= 0 ? init : counted).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
  };
}

export function containersOf({ spec, status }: Pod): ContainerView[] {
  const view = (container: Container, statuses: readonly ContainerStatus[] | undefined): ContainerView => {
    const found = statuses?.find(({ name }) => name === container.name);
    return {
      name: container.name,
      image: container.image ?? '',
      ready: found?.ready ?? false,
      restarts: found?.restartCount ?? 0,
      state: found?.state?.running === undefined ? problemOf(found?.state) || 'Waiting' : 'Running',
    };
  };
  return [
    ...(spec?.initContainers ?? []).map((one) => ({ ...view(one, status?.initContainerStatuses), init: true as const })),
    ...(spec?.containers ?? []).map((one) => view(one, status?.containerStatuses)),
  ];
}

const isSidecar = (container: Container | undefined): boolean => container?.restartPolicy === 'Always';

/** Why a container does not run; empty when it does or nobody knows. */
function problemOf(state: ContainerState | undefined): string {
  if (state?.waiting !== undefined) return state.waiting.reason ?? '';
  if (state?.terminated === undefined) return '';
  const { reason, signal, exitCode } = state.terminated;
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function terminating({ metadata, status }: Pod): string | undefined {
  if (metadata.deletionTimestamp === undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  return status?.reason === 'NodeLost' ? 'Unknown' : 'Terminating';
}

function initReason(status: ContainerStatus | undefined, index: number, total: number): string {
  const problem = problemOf(status?.state);
  return `Init:${problem === '' || problem === 'PodInitializing' ? `${index}/${total}` : problem}`;
}

function mainReason({ status }: Pod, main: readonly ContainerStatus[]): string {
  const gated = status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated') === true;
  const problem = main.map(({ state }) => problemOf(state)).find((text) => text !== '') ?? '';
  const running = main.some(({ ready, state }) => ready && state?.running !== undefined);
  if (problem === 'Completed' && running) return isReady(status) ? 'Running' : 'NotReady';
  return problem || (gated ? 'SchedulingGated' : status?.reason || status?.phase || 'Pending');
}

const isReady = (status: Pod['status']): boolean =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

/** What waits for a while by itself; any other reason to wait is a failure that somebody should look at. */
const patient: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing', 'Pending', 'Running', 'NotReady', '']);

function stateOf(pod: Pod, reason: string, counted: readonly ContainerStatus[]): PodState {
  const phase = pod.status?.phase ?? 'Pending';
  if (reason === 'Terminating') return 'terminating';
  if (reason === 'Unknown' || phase === 'Unknown') return 'unknown';
  if (phase === 'Succeeded') return 'succeeded';
  if (phase === 'Failed') return 'failed';
  if (!pod.spec?.nodeName) return 'pending';
  const plain = reason.replace(/^Init:/, '');
  if (!patient.has(plain) && !/^\d+\/\d+$/.test(plain) && plain !== 'Completed') return 'failing';
  return phase === 'Running' && counted.every(({ ready }) => ready) ? 'running' : 'starting';
}

function messageOf({ status }: Pod, culprit: ContainerStatus | undefined): string {
  const { waiting, terminated } = culprit?.state ?? {};
  const last = culprit?.lastState?.terminated;
  const unscheduled = status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  const exit = terminated ?? last;
  const ended = exit === undefined ? '' : `last exit: ${exit.signal ? `signal ${exit.signal}` : `code ${exit.exitCode}`}`;
  const text = waiting?.message || terminated?.message || status?.message || unscheduled?.message || '';
  return [text, waiting === undefined && terminated === undefined ? '' : ended]
    .filter((part) => part !== '')
    .join(' · ')
    .slice(0, 400);
}
