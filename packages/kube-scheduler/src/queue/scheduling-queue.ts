import { backoffDelayMs, type Clock, type Deferred, deferred, type Timer } from '@orrery/base';
import type { PodInfo } from '../cache/pod-info.ts';
import { type ClusterEvent, type ClusterEventWithHint, isMatch } from '../framework/cluster-event.ts';
import type { Queued } from '../framework/plugin.ts';
import { Heap } from './heap.ts';

/** A pod on its way to a node. Changed by the queue alone. */
export interface QueuedPod extends Queued {
  info: PodInfo;
  timestampMs: number;
  readonly firstMs: number;
  /** Attempts so far. */
  attempts: number;
  /** Where it is; `inFlight` between pop and the end of the attempt. */
  place: 'active' | 'backoff' | 'unschedulable' | 'inFlight';
  /** Plugins that turned it down last, or hold it back from the queue. */
  plugins: ReadonlySet<string>;
  /** Held back by `preEnqueue`. */
  isGated: boolean;
  backoffEndMs: number;
  /** Order of arrival among equals. */
  readonly sequence: number;
}

export interface QueueOptions {
  readonly clock: Clock;
  readonly compare: (a: Queued, b: Queued) => number;
  /** Name of the plugin that holds the pod back. */
  readonly gate: (pod: PodInfo) => string | undefined;
  /** Events that plugins of the pod's profile registered, by plugin. */
  readonly hints: (pod: PodInfo) => ReadonlyMap<string, readonly ClusterEventWithHint[]>;
  /** @default 1 s */
  readonly initialBackoffMs?: number;
  /** @default 10 s */
  readonly maxBackoffMs?: number;
  /** Pods that waited longer are tried again without an event. @default 5 min */
  readonly unschedulableMaxMs?: number;
}

const FLUSH_PERIOD_MS = 30_000;

/**
 * Pods that wait for a node: ready ones in order, those that failed lately in backoff, and those that only an event can help.
 * Source: internal/queue of upstream's scheduler.
 */
export class SchedulingQueue {
  readonly #options: Required<QueueOptions>;
  readonly #byUid = new Map<string, QueuedPod>();
  readonly #active: Heap<QueuedPod>;
  readonly #backoff = new Heap<QueuedPod>((a, b) => a.backoffEndMs - b.backoffEndMs || a.sequence - b.sequence);
  readonly #unschedulable = new Map<string, Set<QueuedPod>>(); // By each of the pod's plugins; under '' when it has none.
  #backoffTimer: Timer | undefined;
  #backoffTimerMs = Number.POSITIVE_INFINITY;
  #waiter: Deferred<void> | undefined;
  #sequence = 0;
  /** Counts events that may have helped somebody: a pod in flight must not miss them. */
  #moves = 0;
  readonly #movesAtPop = new Map<string, number>(); // By uid of pods in flight.

  constructor(options: QueueOptions) {
    this.#options = { initialBackoffMs: 1000, maxBackoffMs: 10_000, unschedulableMaxMs: 300_000, ...options };
    this.#active = new Heap<QueuedPod>((a, b) => this.#options.compare(a, b) || a.sequence - b.sequence);
  }

  get sizes(): { readonly active: number; readonly backoff: number; readonly unschedulable: number; readonly gated: number } {
    const waiting = [...this.#byUid.values()].filter(({ place }) => place === 'unschedulable');
    const gated = waiting.filter(({ isGated }) => isGated).length;
    return { active: this.#active.size, backoff: this.#backoff.size, unschedulable: waiting.length - gated, gated };
  }

  get(uid: string): QueuedPod | undefined {
    return this.#byUid.get(uid);
  }

  add(info: PodInfo): void {
    if (this.#byUid.has(info.uid)) {
      this.update(info, undefined);
      return;
    }
    const nowMs = this.#options.clock.now();
    this.#sequence += 1;
    const pod: QueuedPod = {
      info,
      timestampMs: nowMs,
      firstMs: nowMs,
      attempts: 0,
      place: 'inFlight',
      plugins: none,
      isGated: false,
      backoffEndMs: 0,
      sequence: this.#sequence,
    };
    this.#byUid.set(info.uid, pod);
    this.#activate(pod);
  }

  /** The pod changed while it waits. @param event - What changed, where that may help. */
  update(info: PodInfo, event: ClusterEvent | undefined): void {
    const pod = this.#byUid.get(info.uid);
    if (pod === undefined) {
      this.add(info);
      return;
    }
    const old = pod.info;
    if (pod.place === 'active') {
      this.#active.remove(pod);
      pod.info = info;
      this.#active.add(pod);
      return;
    }
    pod.info = info;
    if (event === undefined) return;
    if (pod.place === 'inFlight') this.#moves += 1;
    else if (pod.place === 'unschedulable' && this.#helps(pod, event, old, info)) this.#wake(pod);
  }

  delete(uid: string): void {
    const pod = this.#byUid.get(uid);
    if (pod === undefined) return;
    this.#leave(pod);
    this.#byUid.delete(uid);
    this.#movesAtPop.delete(uid);
  }

  /** The next pod; it stays in flight until {@link done} or {@link requeue}. */
  pop(): QueuedPod | undefined {
    const pod = this.#active.pop();
    if (pod === undefined) return undefined;
    pod.place = 'inFlight';
    pod.attempts += 1;
    this.#movesAtPop.set(pod.info.uid, this.#moves);
    return pod;
  }

  /** Resolves when there is something to pop. */
  async ready(): Promise<void> {
    if (this.#active.size > 0) return;
    this.#waiter ??= deferred<void>();
    await this.#waiter.promise;
  }

  /** Lets whoever waits in {@link ready} go, as at the end of the scheduler. */
  release(): void {
    this.#waiter?.resolve();
    this.#waiter = undefined;
  }

  /** The pod was bound, or is nobody's business any more. */
  done(uid: string): void {
    const pod = this.#byUid.get(uid);
    this.#movesAtPop.delete(uid);
    if (pod?.place === 'inFlight') this.#byUid.delete(uid);
  }

  /** The attempt failed. @param plugins - Those that turned the pod down; none: an error, tried again after backoff. */
  requeue(pod: QueuedPod, plugins: ReadonlySet<string>): void {
    const { uid } = pod.info;
    if (this.#byUid.get(uid) !== pod || pod.place !== 'inFlight') return; // It was deleted meanwhile.
    const nowMs = this.#options.clock.now();
    const { initialBackoffMs, maxBackoffMs } = this.#options;
    pod.timestampMs = nowMs;
    pod.backoffEndMs = nowMs + backoffDelayMs(Math.max(1, pod.attempts), { baseDelayMs: initialBackoffMs, maxDelayMs: maxBackoffMs });
    const missed = (this.#movesAtPop.get(uid) ?? 0) !== this.#moves;
    this.#movesAtPop.delete(uid);
    pod.plugins = plugins;
    if (plugins.size === 0 || missed) this.#toBackoff(pod);
    else this.#toUnschedulable(pod);
  }

  /** Something happened in the cluster: wakes the pods that it may help. Costs only those whose plugins asked for such events. */
  move(event: ClusterEvent, old: object | undefined, object: object | undefined): void {
    if (this.#movesAtPop.size > 0) this.#moves += 1;
    if (this.#unschedulable.size === 0) return;
    const woken: QueuedPod[] = [];
    for (const [plugin, waiting] of this.#unschedulable) {
      const [sample] = waiting;
      if (sample === undefined || !this.#listens(plugin, sample, event)) continue;
      for (const pod of waiting) if (this.#helpsWith(plugin, pod, event, old, object)) woken.push(pod);
    }
    for (const pod of woken) this.#wake(pod);
  }

  /** Tries the pod now, whatever it waits for. */
  activate(uid: string): void {
    const pod = this.#byUid.get(uid);
    if (pod === undefined || pod.place === 'active') return;
    if (pod.place === 'inFlight') {
      this.#moves += 1;
      return;
    }
    this.#leave(pod);
    this.#activate(pod);
  }

  /** Tries pods again that have waited for too long; call it now and then. */
  flush(): void {
    const limitMs = this.#options.clock.now() - this.#options.unschedulableMaxMs;
    for (const pod of this.#byUid.values()) {
      if (pod.place === 'unschedulable' && !pod.isGated && pod.timestampMs <= limitMs) this.#wake(pod);
    }
  }

  /** Flushes periodically until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(FLUSH_PERIOD_MS, signal).catch(() => undefined); // Aborted: the loop ends.
      if (!signal.aborted) this.flush();
    }
    this.#backoffTimer?.cancel();
    this.release();
  }

  #helps(pod: QueuedPod, event: ClusterEvent, old: object | undefined, object: object | undefined): boolean {
    if (pod.plugins.size === 0) return true;
    for (const plugin of pod.plugins) if (this.#helpsWith(plugin, pod, event, old, object)) return true;
    return false;
  }

  #helpsWith(plugin: string, pod: QueuedPod, event: ClusterEvent, old: object | undefined, object: object | undefined): boolean {
    const registered = this.#options.hints(pod.info).get(plugin);
    if (registered === undefined) return true; // It did not say: anything may help.
    for (const entry of registered) {
      if (isMatch(entry, event) && (entry.hint === undefined || entry.hint(pod.info, old, object))) return true;
    }
    return false;
  }

  /** Whether the plugin cares for such events at all. Profiles share plugins' registrations, so one pod speaks for all. */
  #listens(plugin: string, sample: QueuedPod, event: ClusterEvent): boolean {
    const registered = this.#options.hints(sample.info).get(plugin);
    return registered === undefined || registered.some((entry) => isMatch(entry, event));
  }

  #wake(pod: QueuedPod): void {
    if (pod.place !== 'unschedulable') return;
    this.#leave(pod);
    if (pod.backoffEndMs > this.#options.clock.now()) this.#toBackoff(pod);
    else this.#activate(pod);
  }

  #activate(pod: QueuedPod): void {
    const gate = this.#options.gate(pod.info);
    pod.isGated = gate !== undefined;
    if (gate !== undefined) {
      pod.plugins = new Set([gate]);
      this.#toUnschedulable(pod);
      return;
    }
    pod.place = 'active';
    this.#active.add(pod);
    this.release();
  }

  #toBackoff(pod: QueuedPod): void {
    pod.place = 'backoff';
    this.#backoff.add(pod);
    this.#watchBackoff();
  }

  #toUnschedulable(pod: QueuedPod): void {
    pod.place = 'unschedulable';
    for (const plugin of pod.plugins.size === 0 ? unknown : pod.plugins) {
      const waiting = this.#unschedulable.get(plugin);
      if (waiting === undefined) this.#unschedulable.set(plugin, new Set([pod]));
      else waiting.add(pod);
    }
  }

  #leave(pod: QueuedPod): void {
    if (pod.place === 'active') this.#active.remove(pod);
    else if (pod.place === 'backoff') this.#backoff.remove(pod);
    else if (pod.place === 'unschedulable') {
      for (const plugin of pod.plugins.size === 0 ? unknown : pod.plugins) {
        const waiting = this.#unschedulable.get(plugin);
        waiting?.delete(pod);
        if (waiting?.size === 0) this.#unschedulable.delete(plugin);
      }
    }
    pod.place = 'inFlight';
  }

  #watchBackoff(): void {
    const first = this.#backoff.first;
    if (first === undefined || first.backoffEndMs >= this.#backoffTimerMs) return;
    this.#backoffTimer?.cancel();
    this.#backoffTimerMs = first.backoffEndMs;
    const delayMs = Math.max(0, first.backoffEndMs - this.#options.clock.now());
    this.#backoffTimer = this.#options.clock.after(delayMs, () => this.#endBackoff(), { background: true });
  }

  #endBackoff(): void {
    this.#backoffTimerMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#options.clock.now();
    for (let pod = this.#backoff.first; pod !== undefined && pod.backoffEndMs <= nowMs; pod = this.#backoff.first) {
      this.#leave(pod);
      this.#activate(pod);
    }
    this.#watchBackoff();
  }
}

const none: ReadonlySet<string> = new Set();
const unknown: readonly string[] = [''];
