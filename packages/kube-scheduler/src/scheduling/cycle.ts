import type { Pod } from '@orrery/api/core/v1';
import type { Clock, Random } from '@orrery/base';
import type { EventRecorder, Lister } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { SchedulerCache } from '../cache/cache.ts';
import type { PodInfo } from '../cache/pod-info.ts';
import type { Snapshot } from '../cache/snapshot.ts';
import { action } from '../framework/cluster-event.ts';
import { CycleState } from '../framework/cycle-state.ts';
import { type Diagnosis, fitMessage } from '../framework/fit-error.ts';
import type { Nominator } from '../framework/nominator.ts';
import { guarded, type Profile } from '../framework/profile.ts';
import { errorStatus, isRejected, messageOf, type Status } from '../framework/status.ts';
import type { WaitingPods } from '../framework/waiting-pods.ts';
import type { QueuedPod, SchedulingQueue } from '../queue/scheduling-queue.ts';
import type { FailureReporter } from './failure-report.ts';
import type { SchedulerMetrics } from './metrics.ts';
import { NodeSearch } from './node-search.ts';
import type { RunningProfile } from './profiles.ts';
import type { TaskPool } from './task-pool.ts';

export interface CycleOptions {
  readonly cache: SchedulerCache;
  readonly snapshot: Snapshot;
  readonly queue: SchedulingQueue;
  readonly nominator: Nominator;
  readonly waiting: WaitingPods;
  readonly profiles: ReadonlyMap<string, RunningProfile>;
  readonly percentage: number;
  readonly bindings: TaskPool;
  readonly reporter: FailureReporter;
  readonly events: EventRecorder;
  readonly pods: Pick<Lister<Pod>, 'get'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: SchedulerMetrics;
}

/** A node chosen and its room taken; what is left is to bind. */
interface Placed {
  readonly pod: QueuedPod;
  readonly info: PodInfo;
  readonly nodeName: string;
  readonly profile: Profile;
  readonly state: CycleState;
  /** Milliseconds by permit plugin that wants to wait. */
  readonly timeouts: ReadonlyMap<string, number>;
  readonly startMs: number;
}

interface Rejection {
  readonly plugin: string;
  readonly status: Status;
}

/** Takes one pod from the queue to its node. */
export class SchedulingCycle {
  readonly #options: CycleOptions;
  readonly #search: NodeSearch;

  constructor(options: CycleOptions) {
    this.#options = options;
    this.#search = new NodeSearch(options.random);
  }

  /** Decides about one pod without waiting, then binds it in the background. Never throws. */
  schedule(pod: QueuedPod, signal: AbortSignal): void {
    const { profiles, cache, queue, clock, metrics } = this.#options;
    const running = profiles.get(pod.info.pod.spec.schedulerName ?? 'default-scheduler');
    if (running === undefined || pod.info.isTerminating || cache.nodeOf(pod.info.uid) !== undefined) {
      queue.done(pod.info.uid);
      return;
    }
    const startMs = clock.monotonicMs();
    const state = new CycleState();
    let placed: Placed | undefined;
    try {
      placed = this.#place(pod, running, state, startMs);
    } catch (error) {
      this.#fail(pod, errorStatus(error), undefined);
    }
    metrics.algorithmSeconds.observe((clock.monotonicMs() - startMs) / 1000);
    const bound = placed;
    if (bound !== undefined) this.#options.bindings.run(() => this.#bind(bound, signal));
  }

  #place(pod: QueuedPod, { profile, percentage }: RunningProfile, state: CycleState, startMs: number): Placed | undefined {
    const { snapshot, nominator, cache } = this.#options;
    const { info } = pod;
    snapshot.update();
    const outcome = this.#search.find(profile, state, info, snapshot, {
      percentage: percentage ?? this.#options.percentage,
      nominated: nominator.nodeOf(info.uid),
    });
    if (outcome.type === 'failed') {
      this.#fail(pod, outcome.status, '');
      return undefined;
    }
    if (outcome.type === 'unfit') {
      this.#unfit(pod, profile, state, outcome.diagnosis);
      return undefined;
    }
    const { nodeName } = outcome;
    const assumed = cache.assume(info, nodeName);
    nominator.remove(info.uid);
    const timeouts = new Map<string, number>();
    const rejection = reserveAndPermit(profile, state, assumed, nodeName, timeouts);
    const placed: Placed = { pod, info: assumed, nodeName, profile, state, timeouts, startMs };
    if (rejection === undefined) return placed;
    this.#undo(placed, rejection);
    return undefined;
  }

  /** No node fits: lets plugins make room, then says why. */
  #unfit(pod: QueuedPod, profile: Profile, state: CycleState, diagnosis: Diagnosis): void {
    let nominated: string | undefined = '';
    let postFilter = '';
    if (profile.hasPostFilters) {
      const result = profile.postFilter(state, pod.info, diagnosis);
      nominated = result.nominatedNodeName;
      postFilter = messageOf(result.status);
      this.#options.metrics.preemptionAttempts.inc();
    }
    const plugins = new Set([...diagnosis.unschedulablePlugins, ...diagnosis.pendingPlugins]);
    this.#requeue(pod, plugins, 'Unschedulable', fitMessage(diagnosis, postFilter), nominated);
  }

  async #bind(placed: Placed, signal: AbortSignal): Promise<void> {
    const { info, nodeName, profile, state, timeouts, pod, startMs } = placed;
    const { waiting, queue, events, clock, metrics, cache } = this.#options;
    let rejection: Rejection | undefined;
    try {
      rejection = timeouts.size === 0 ? undefined : await waiting.wait(info, nodeName, timeouts);
      rejection ??= await preBindAndBind(profile, state, info, nodeName, signal);
    } catch (error) {
      rejection = { plugin: '', status: errorStatus(error) };
    }
    if (rejection !== undefined) {
      if (!signal.aborted && cache.isAssumed(info.uid)) this.#undo(placed, rejection);
      else queue.done(info.uid); // Bound after all, or deleted meanwhile.
      return;
    }
    queue.done(info.uid);
    events.event(info.pod, 'Normal', 'Scheduled', `Successfully assigned ${info.key} to ${nodeName}`, { action: 'Binding' });
    metrics.attempt('scheduled', profile.schedulerName, (clock.monotonicMs() - startMs) / 1000);
    metrics.podAttempts.observe(pod.attempts);
    for (const plugin of profile.postBinds) plugin.postBind(state, info, nodeName);
  }

  /** Gives the room back and lets the pod try again. */
  #undo({ pod, info, nodeName, profile, state }: Placed, { plugin, status }: Rejection): void {
    const { cache, queue } = this.#options;
    for (const reserver of profile.reservers.toReversed()) reserver.unreserve?.(state, info, nodeName);
    // Others may fit where this one does not go.
    if (cache.forget(info.uid)) queue.move({ resource: 'AssignedPod', actions: action.delete }, info, undefined);
    if (!isRejected(status)) {
      this.#fail(pod, status, '');
      return;
    }
    const message = fitMessage({ byNode: new Map([[nodeName, status]]), others: status, nodeCount: 1, preFilterMessage: '' }, '');
    this.#requeue(pod, new Set([plugin]), 'Unschedulable', message, '');
  }

  /** Turned away without a plugin to ask: an error, or no nodes at all. */
  #fail(pod: QueuedPod, status: Status, nominatedNodeName: string | undefined): void {
    const isError = !isRejected(status);
    if (isError)
      this.#options.log.error('scheduling failed; the pod is tried again', { pod: pod.info.key, error: status.error ?? messageOf(status) });
    const plugins = isError ? new Set<string>() : new Set(['NodeName']); // Without nodes only a new node helps.
    this.#requeue(pod, plugins, isError ? 'SchedulerError' : 'Unschedulable', messageOf(status), nominatedNodeName);
  }

  #requeue(
    pod: QueuedPod,
    plugins: ReadonlySet<string>,
    reason: 'Unschedulable' | 'SchedulerError',
    message: string,
    nominatedNodeName: string | undefined,
  ): void {
    const { queue, nominator, reporter, metrics, pods } = this.#options;
    const { info } = pod;
    const current = pods.get(info.key);
    if (current === undefined || current.metadata.uid !== info.uid || (current.spec.nodeName ?? '') !== '') {
      queue.delete(info.uid);
      return;
    }
    queue.requeue(pod, plugins);
    if (nominatedNodeName !== undefined) nominator.set(info, nominatedNodeName);
    reporter.report(info, current, { reason, message, nominatedNodeName });
    metrics.attempt(reason === 'Unschedulable' ? 'unschedulable' : 'error', info.pod.spec.schedulerName ?? '', 0);
  }
}

function reserveAndPermit(
  profile: Profile,
  state: CycleState,
  info: PodInfo,
  nodeName: string,
  timeouts: Map<string, number>,
): Rejection | undefined {
  for (const plugin of profile.reservers) {
    const status = guarded(() => plugin.reserve?.(state, info, nodeName));
    if (status !== undefined && status.code !== 'Success') return { plugin: plugin.name, status };
  }
  for (const plugin of profile.permits) {
    const { status, timeoutMs = 0 } = plugin.permit(state, info, nodeName);
    if (status.code === 'Wait') timeouts.set(plugin.name, timeoutMs);
    else if (status.code !== 'Success') return { plugin: plugin.name, status };
  }
  return undefined;
}

async function preBindAndBind(
  profile: Profile,
  state: CycleState,
  info: PodInfo,
  nodeName: string,
  signal: AbortSignal,
): Promise<Rejection | undefined> {
  for (const plugin of profile.preBinds) {
    const status = await plugin.preBind(state, info, nodeName, signal);
    if (status !== undefined && status.code !== 'Success') return { plugin: plugin.name, status };
  }
  for (const plugin of profile.binds) {
    const status = await plugin.bind(state, info, nodeName, signal);
    if (status?.code === 'Skip') continue;
    return status === undefined || status.code === 'Success' ? undefined : { plugin: plugin.name, status };
  }
  return { plugin: '', status: errorStatus(new Error(`no plugin binds pod ${info.key}`)) };
}
