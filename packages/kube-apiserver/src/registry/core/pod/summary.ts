import type { Container, ContainerState, ContainerStatus, Pod, PodStatus } from '@orrery/api/core/v1';

/** What a table row says of a pod. */
export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  /** As `Running`, `Init:0/1`, `CrashLoopBackOff`, `Completed`, `Terminating`. */
  readonly reason: string;
  readonly restarts: number;
  /** RFC 3339 time of the last restart; empty for none. */
  readonly lastRestart: string;
}

interface Tally {
  restarts: number;
  lastRestart: string;
}

/** Sums up a pod's containers as upstream's printer does: init containers first, until the pod is initialised. */
export function summarisePod(pod: Pod): PodSummary {
  const status: PodStatus = pod.status ?? {};
  const init = summariseInit(pod);
  let summary = { ready: init.ready, reason: init.reason ?? phaseReason(status), ...init.all };
  if (init.reason === undefined || hasCondition(status, 'Initialized')) {
    const main = summariseMain(status, phaseReason(status, init.reason));
    summary = { ready: init.ready + main.ready, reason: main.reason, ...add(init.restartable, main.tally) };
  }
  const total = (pod.spec.containers ?? []).length + (pod.spec.initContainers ?? []).filter(isRestartable).length;
  return { ...summary, total, reason: terminatingReason(pod, summary.reason) };
}

const isRestartable = (container: Container | undefined): boolean => container?.restartPolicy === 'Always';
const hasCondition = (status: PodStatus, type: string): boolean =>
  (status.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
const add = (a: Tally, b: Tally): Tally => ({
  restarts: a.restarts + b.restarts,
  lastRestart: [a.lastRestart, b.lastRestart].sort()[1] ?? '',
});
const tallyOf = (status: ContainerStatus): Tally => ({
  restarts: status.restartCount ?? 0,
  lastRestart: status.lastState?.terminated?.finishedAt ?? '',
});
const nothing: Tally = { restarts: 0, lastRestart: '' };

function phaseReason(status: PodStatus, initReason?: string): string {
  if (initReason !== undefined) return initReason;
  const gated = (status.conditions ?? []).some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated');
  return gated ? 'SchedulingGated' : status.reason || status.phase || '';
}

function summariseInit(pod: Pod): { ready: number; reason: string | undefined; all: Tally; restartable: Tally } {
  const specs = new Map((pod.spec.initContainers ?? []).map((container) => [container.name, container]));
  let all = nothing;
  let restartable = nothing;
  let ready = 0;
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    all = add(all, tallyOf(status));
    const sidecar = isRestartable(specs.get(status.name));
    if (sidecar) restartable = add(restartable, tallyOf(status));
    if (status.state?.terminated?.exitCode === 0) continue;
    if (sidecar && status.started === true) {
      if (status.ready) ready++;
      continue;
    }
    return { ready, reason: `Init:${blockedReason(status.state, index, specs.size)}`, all, restartable };
  }
  return { ready, reason: undefined, all, restartable };
}

function blockedReason(state: ContainerState | undefined, index: number, total: number): string {
  if (state?.terminated !== undefined) return terminatedReason(state.terminated);
  const waiting = state?.waiting?.reason ?? '';
  return waiting !== '' && waiting !== 'PodInitializing' ? waiting : `${index}/${total}`;
}

function terminatedReason({ reason = '', signal = 0, exitCode }: NonNullable<ContainerState['terminated']>): string {
  if (reason !== '') return reason;
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}

/** The first container that is not running gives the reason. */
function summariseMain(status: PodStatus, initial: string): { ready: number; reason: string; tally: Tally } {
  let reason = initial;
  let ready = 0;
  let running = false;
  let tally = nothing;
  for (const container of [...(status.containerStatuses ?? [])].reverse()) {
    tally = add(tally, tallyOf(container));
    const { waiting, terminated, running: run } = container.state ?? {};
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated !== undefined) reason = terminatedReason(terminated);
    else if (container.ready && run !== undefined) {
      running = true;
      ready++;
    }
  }
  if (reason === 'Completed' && running) reason = hasCondition(status, 'Ready') ? 'Running' : 'NotReady';
  return { ready, reason, tally };
}

function terminatingReason({ metadata, status }: Pod, reason: string): string {
  if (metadata.deletionTimestamp === undefined) return reason;
  if (status?.reason === 'NodeLost') return 'Unknown';
  return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? reason : 'Terminating';
}
