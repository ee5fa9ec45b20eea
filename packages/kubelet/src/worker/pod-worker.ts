import { pods } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import { backoffDelayMs, type Clock, deferred, type Random, type Timer, withJitter } from '@orrery/base';
import type { Client } from '@orrery/client';
import type { Logger } from '@orrery/component';
import { formatPod, isTerminalPhase } from '../pod/container-spec.ts';
import { messageOf } from '../runtime/errors.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import type { PodCleaner } from './pod-cleaner.ts';
import type { Eviction, PodMemory, PodSyncer } from './pod-syncer.ts';

export interface WorkerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly syncer: PodSyncer;
  readonly cleaner: PodCleaner;
  readonly statuses: StatusWriter;
  /** The pod's worker has ended: nothing of the pod is left on the node. */
  readonly onDone: (uid: string) => void;
}

/**
 * The life of one pod on this node, from its first sync to the removal of its last file. One thing at a time: `sync` until the pod is to
 * end, then `terminating` until nothing of it runs, then `terminated` until it is gone from the API.
 */
export interface PodWorker {
  readonly pod: Pod;
  /** Nothing of the pod runs any more, nor will it. */
  readonly stopped: boolean;
  /** The node did not take it. */
  readonly rejected: boolean;
  /** The API shows the pod changed. */
  update(pod: Pod): void;
  /** The pod is gone from the API. */
  removed(pod: Pod): void;
  /** Something may have changed: look. */
  wake(): void;
  /** Ends the pod, which failed for that reason. */
  evict(eviction: Eviction, graceSeconds: number): void;
  /** Ends the worker and leaves the pod running: the kubelet stops. Resolves when nothing is under way. */
  abandon(): Promise<void>;
}

type Phase = 'sync' | 'terminating' | 'terminated' | 'done';

const RESYNC_MS = 60_000;
const TERMINATED_RESYNC_MS = 600_000; // Nothing changes any more but the API object.
const retryPolicy = { baseDelayMs: 500, maxDelayMs: 10_000 };

/** Seconds that the pod may take to end, and never less than one. Source: calculateEffectiveGracePeriod. */
const graceOf = (pod: Pod): number => Math.max(1, pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30);

export function newPodWorker(
  first: Pod,
  deps: WorkerDeps,
  options: { readonly gone: boolean; readonly memory: PodMemory; readonly rejected: boolean },
): PodWorker {
  const { client, clock, random, log, syncer, cleaner, statuses } = deps;
  const { uid } = first.metadata;
  const { memory } = options;
  const life = new AbortController();
  let pod = first;
  let gone = options.gone; // From the API.
  let phase: Phase = options.rejected || ending(first, options.gone) ? 'terminating' : 'sync';
  let graceSeconds: number | undefined; // Of the termination under way; only ever shorter.
  let graceSecondsMax = Number.POSITIVE_INFINITY; // Of an evicted pod.
  let turn = new AbortController(); // Ends what is under way, when it has become pointless.
  let wakeUp = deferred<void>();
  let woken = true;
  let timer: Timer | undefined;
  let failures = 0;

  const wake = (): void => {
    woken = true;
    wakeUp.resolve();
  };

  function interrupt(): void {
    turn.abort(new DOMException('the pod has moved on', 'AbortError'));
    wake();
  }

  function end(): void {
    if (phase === 'sync') {
      phase = 'terminating';
      interrupt();
    } else if (phase === 'terminating' && graceSeconds !== undefined && Math.min(graceOf(pod), graceSecondsMax) < graceSeconds) {
      interrupt(); // Less time than it was given: begin again with that.
    } else wake();
  }

  async function terminate(signal: AbortSignal): Promise<void> {
    graceSeconds = Math.min(graceSeconds ?? Number.POSITIVE_INFINITY, graceOf(pod), graceSecondsMax);
    await syncer.terminate(pod, memory, graceSeconds, signal);
    phase = 'terminated';
    woken = true;
  }

  async function deleteFromApi(): Promise<void> {
    const { name, namespace } = pod.metadata;
    try {
      await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (err) {
      if (!isNotFound(err) && !isConflict(err)) throw err;
    }
  }

  /** The pod's volumes go as soon as nothing runs; everything else when the API lets go of it. */
  async function finish(): Promise<void> {
    await cleaner.removeVolumes(uid);
    if (!gone && pod.metadata.deletionTimestamp === undefined) return;
    if (!gone) {
      await statuses.flushed(uid);
      await deleteFromApi();
    }
    await cleaner.removeAll(pod);
    phase = 'done';
  }

  async function syncOnce(signal: AbortSignal): Promise<number> {
    const { terminal, againAfterMs, state } = await syncer.sync(pod, memory, signal);
    if (terminal) {
      phase = 'terminating';
      woken = true;
    } else {
      await cleaner.prune(state);
    }
    return Math.min(againAfterMs ?? RESYNC_MS, withJitter(RESYNC_MS, 0.5, random));
  }

  /** One step. Milliseconds until the next, unless woken. */
  async function step(): Promise<number> {
    turn = new AbortController();
    const { signal } = turn;
    try {
      let nextMs = RESYNC_MS;
      if (phase === 'sync') nextMs = await syncOnce(signal);
      else if (phase === 'terminating') await terminate(signal);
      else {
        await finish();
        nextMs = TERMINATED_RESYNC_MS;
      }
      failures = 0;
      return nextMs;
    } catch (err) {
      if (signal.aborted) return 0;
      failures += 1;
      log.warn('pod sync failed', { pod: formatPod(pod), phase, error: messageOf(err) });
      return backoffDelayMs(failures, retryPolicy);
    }
  }

  async function rest(delayMs: number): Promise<void> {
    if (woken || life.signal.aborted) return;
    timer = clock.after(delayMs, wake);
    await wakeUp.promise;
    timer.cancel();
  }

  async function run(): Promise<void> {
    while (phase !== 'done' && !life.signal.aborted) {
      woken = false;
      wakeUp = deferred<void>();
      await rest(await step());
    }
    if (phase === 'done') deps.onDone(uid);
  }
  const running = run();

  return {
    get pod() {
      return pod;
    },
    get rejected() {
      return options.rejected;
    },
    get stopped() {
      return phase === 'terminated' || phase === 'done';
    },
    update(next) {
      pod = next;
      if (ending(next, false)) end();
      else wake();
    },
    removed(last) {
      pod = last;
      gone = true;
      end();
    },
    wake,
    evict(eviction, seconds) {
      if (phase !== 'sync') return;
      memory.eviction = eviction;
      graceSecondsMax = seconds;
      end();
    },
    async abandon() {
      life.abort();
      turn.abort(new DOMException('the kubelet stops', 'AbortError'));
      wake();
      await running;
    },
  };
}

const ending = (pod: Pod, gone: boolean): boolean =>
  gone || pod.metadata.deletionTimestamp !== undefined || isTerminalPhase(pod.status?.phase);
