import { type Clock, nextTurn } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import { podNameLabel, podNamespaceLabel, podUidLabel } from '../pod/labels.ts';
import { isRuntimeUnimplemented, messageOf } from '../runtime/errors.ts';

/** A pod of which the runtime has something. */
export interface RuntimePod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
}

/** Tells which pods changed in the runtime. Upstream's PLEG. */
export interface Relister {
  /** Compares the runtime with the last time; calls `onChange` for each pod that differs. Answers all pods that the runtime has. */
  relist(): Promise<readonly RuntimePod[]>;
  /** Runs until `signal` aborts: by the runtime's events where it has them, and by relisting. */
  run(signal: AbortSignal): Promise<void>;
  /** When a relist last succeeded, in monotonic milliseconds; 0 before the first. */
  readonly lastMs: number;
  readonly containerIds: ReadonlySet<string>;
}

export interface RelisterOptions {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: (uid: string) => void;
  /** Between relists while the runtime tells nothing by itself. */
  readonly periodMs: number;
  /** Between relists while its events come: they find only what an event missed. */
  readonly periodWithEventsMs: number;
}

const EVENTS_RETRY_MS = 1000;

export function newRelister({ runtime, clock, log, onChange, periodMs, periodWithEventsMs }: RelisterOptions): Relister {
  let states = new Map<string, string>(); // State by sandbox or container id.
  let owners = new Map<string, string>(); // Pod uid by the same id.
  let containerIds: ReadonlySet<string> = new Set();
  let lastMs = 0;
  let eventsCome = false;

  async function relist(): Promise<readonly RuntimePod[]> {
    const [{ items = [] }, { containers = [] }] = await Promise.all([runtime.listPodSandbox({}), runtime.listContainers({})]);
    const next = new Map<string, string>();
    const nextOwners = new Map<string, string>();
    const found = new Map<string, RuntimePod>();
    for (const { id = '', state = '', labels } of [...items, ...containers]) {
      const uid = labels?.[podUidLabel];
      if (uid === undefined) continue; // Not a pod of ours.
      next.set(id, state);
      nextOwners.set(id, uid);
      found.set(uid, { uid, name: labels?.[podNameLabel] ?? '', namespace: labels?.[podNamespaceLabel] ?? '' });
    }
    const changed = new Set<string>();
    for (const [id, state] of next) if (states.get(id) !== state) changed.add(nextOwners.get(id) ?? '');
    for (const id of states.keys()) if (!next.has(id)) changed.add(owners.get(id) ?? '');
    states = next;
    owners = nextOwners;
    containerIds = new Set(containers.map(({ id = '' }) => id));
    lastMs = clock.monotonicMs();
    for (const uid of changed) onChange(uid);
    return [...found.values()];
  }

  async function followEvents(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        eventsCome = true;
        for await (const event of runtime.getContainerEvents({}, signal)) {
          const uid = event.podSandboxStatus?.metadata?.uid ?? event.podSandboxStatus?.labels?.[podUidLabel];
          if (uid !== undefined) onChange(uid);
          else await relist();
        }
      } catch (err) {
        if (signal.aborted) return;
        eventsCome = false;
        if (isRuntimeUnimplemented(err)) return;
        log.warn('the event stream of the runtime broke', { error: messageOf(err) });
      }
      eventsCome = false;
      await clock.sleep(EVENTS_RETRY_MS, signal).catch(() => {});
    }
  }

  async function poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(eventsCome ? periodWithEventsMs : periodMs, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        await relist();
      } catch (err) {
        log.warn('relisting the runtime failed', { error: messageOf(err) });
      }
      await nextTurn();
    }
  }

  return {
    relist,
    get lastMs() {
      return lastMs;
    },
    get containerIds() {
      return containerIds;
    },
    async run(signal) {
      await Promise.all([followEvents(signal), poll(signal)]);
    },
  };
}
