import type { ObjectReference, Pod } from '@orrery/api/core/v1';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { Rejection } from '../pod/admission.ts';
import { messageOf } from '../runtime/errors.ts';
import { type EventSink, podReference, reasons } from '../runtime/events.ts';
import { evictionMessage, limitsLocalStorage, localStorageProblem } from './messages.ts';
import type { PodUsage, UsageReader } from './pod-usage.ts';
import { rank } from './ranking.ts';
import {
  isCrossed,
  type Observations,
  type PressureType,
  pressureOf,
  resourceOf,
  type Threshold,
  type ThresholdConfig,
  thresholdsOf,
} from './thresholds.ts';

export interface EvictionOrder {
  readonly message: string;
  /** Seconds that the pod may take to end. */
  readonly graceSeconds: number;
  /** The pod goes for the node's sake, not for limits of its own. */
  readonly disruption: boolean;
}

/** Ends pods before the machine fails. Source: kubelet eviction manager. */
export interface Evictor {
  /** Looks once, and evicts at most one pod for the node. */
  round(): Promise<void>;
  /** Under which kinds of pressure the node is. */
  pressures(): ReadonlySet<PressureType>;
  /** Why the node takes no such pod now. */
  admit(pod: Pod): Rejection | undefined;
}

export interface EvictorOptions extends ThresholdConfig {
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSink;
  readonly node: ObjectReference;
  readonly observe: () => Promise<Observations>;
  /** Pods that run or may come to run. */
  readonly activePods: () => readonly Pod[];
  readonly usage: UsageReader;
  readonly evict: (uid: string, order: EvictionOrder) => void;
  /** Nothing of the pod runs any more. */
  readonly isStopped: (uid: string) => boolean;
  /** Removes what nobody uses: dead containers and images. */
  readonly reclaimDisk: () => Promise<void>;
  /** For soft thresholds, in seconds. */
  readonly evictionMaxPodGraceSeconds: number;
  /** How long the node stays under pressure after the last sign of it. */
  readonly evictionPressureTransitionMs: number;
  readonly onPressureChange: () => void;
}

const CRITICAL_PRIORITY = 2_000_000_000;
const STOP_WAIT_MS = 30_000; // Source: podCleanupTimeout.
const AT_ONCE_SECONDS = 1; // Source: immediateEvictionGracePeriodSeconds.

const isCritical = ({ spec }: Pod): boolean => (spec.priority ?? 0) >= CRITICAL_PRIORITY;

const toleratesMemoryPressure = ({ spec }: Pod): boolean =>
  (spec.tolerations ?? []).some(
    ({ key = '', operator, effect = '' }) =>
      (key === 'node.kubernetes.io/memory-pressure' || (key === '' && operator === 'Exists')) && (effect === '' || effect === 'NoSchedule'),
  );

export function newEvictor(options: EvictorOptions): Evictor {
  const { clock, log, events, node, observe, activePods, usage } = options;
  const thresholds = thresholdsOf(options);
  const crossedSince = new Map<Threshold, number>(); // Monotonic milliseconds.
  const seenMs = new Map<PressureType, number>(); // When a kind of pressure was last there.
  let leaving: { readonly uid: string; readonly sinceMs: number } | undefined; // The pod evicted last, while it still runs.

  const pressures = (): ReadonlySet<PressureType> => new Set(seenMs.keys());

  /** Thresholds that are crossed now, most urgent first. */
  function crossed(observations: Observations): readonly Threshold[] {
    const nowMs = clock.monotonicMs();
    const found = thresholds.filter((threshold) => isCrossed(threshold, observations, crossedSince.has(threshold)));
    for (const threshold of thresholds) {
      if (!found.includes(threshold)) crossedSince.delete(threshold);
      else if (!crossedSince.has(threshold)) crossedSince.set(threshold, nowMs);
    }
    return found;
  }

  function rememberPressure(found: readonly Threshold[]): void {
    const before = [...seenMs.keys()].join();
    const nowMs = clock.monotonicMs();
    for (const { signal } of found) seenMs.set(pressureOf(signal), nowMs);
    for (const [type, atMs] of seenMs) if (nowMs - atMs > options.evictionPressureTransitionMs) seenMs.delete(type);
    if ([...seenMs.keys()].join() !== before) options.onPressureChange();
  }

  function evict({ pod }: PodUsage, order: EvictionOrder): void {
    log.warn('evicting a pod', { pod: `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`, message: order.message });
    events.event(podReference(pod), 'Warning', reasons.evicted, order.message);
    options.evict(pod.metadata.uid, order);
  }

  /** Pods that break limits of their own go first: that may be all that is needed. */
  async function evictForLimits(pods: readonly Pod[]): Promise<boolean> {
    const limited = pods.filter((pod) => !isCritical(pod) && limitsLocalStorage({ pod }));
    if (limited.length === 0) return false;
    let any = false;
    for (const found of await usage.read(limited, true)) {
      const message = localStorageProblem(found);
      if (message === undefined) continue;
      evict(found, { message, graceSeconds: AT_ONCE_SECONDS, disruption: false });
      any = true;
    }
    return any;
  }

  /** The most urgent threshold that no cleaning helps against. */
  async function afterReclaim(found: readonly Threshold[]): Promise<{ threshold: Threshold; observations: Observations } | undefined> {
    const [threshold] = found;
    if (threshold === undefined) return undefined;
    const resource = resourceOf(threshold.signal);
    events.event(node, 'Warning', reasons.evictionThresholdMet, `Attempting to reclaim ${resource}`);
    if (pressureOf(threshold.signal) === 'DiskPressure') await options.reclaimDisk();
    const observations = await observe();
    return isCrossed(threshold, observations, true) ? { threshold, observations } : undefined;
  }

  async function evictForNode(pods: readonly Pod[], found: readonly Threshold[]): Promise<void> {
    const due = found.filter((threshold) => clock.monotonicMs() - (crossedSince.get(threshold) ?? 0) >= threshold.graceMs);
    const left = await afterReclaim(due);
    if (left === undefined) return;
    const { threshold, observations } = left;
    const usages = await usage.read(pods, pressureOf(threshold.signal) === 'DiskPressure');
    const first = rank(threshold.signal, usages).find(({ pod }) => !isCritical(pod));
    if (first === undefined) {
      log.warn('no pod can be evicted', { signal: threshold.signal });
      return;
    }
    const own = first.pod.spec.terminationGracePeriodSeconds ?? 30;
    const graceSeconds = threshold.graceMs === 0 ? AT_ONCE_SECONDS : Math.max(1, Math.min(options.evictionMaxPodGraceSeconds, own));
    evict(first, { message: evictionMessage(threshold, observations, first), graceSeconds, disruption: true });
    leaving = { uid: first.pod.metadata.uid, sinceMs: clock.monotonicMs() };
  }

  return {
    pressures,
    async round() {
      const observations = await observe();
      const found = crossed(observations);
      rememberPressure(found);
      const pods = activePods();
      if (await evictForLimits(pods)) return;
      if (found.length === 0) return;
      // What the last one leaves behind may be enough.
      if (leaving !== undefined && !options.isStopped(leaving.uid) && clock.monotonicMs() - leaving.sinceMs < STOP_WAIT_MS) return;
      leaving = undefined;
      try {
        await evictForNode(pods, found);
      } catch (err) {
        log.warn('relieving the node failed', { error: messageOf(err) });
      }
    },
    admit(pod) {
      const now = pressures();
      if (now.size === 0 || isCritical(pod)) return undefined;
      const onlyMemory = now.size === 1 && now.has('MemoryPressure');
      if (onlyMemory && ((pod.status?.qosClass ?? 'BestEffort') !== 'BestEffort' || toleratesMemoryPressure(pod))) return undefined;
      return { reason: 'Evicted', message: `The node had condition: [${[...now].join(' ')}]. ` };
    },
  };
}
