import { sharedSignal } from '@orrery/base';
import type { InformerFactory } from '@orrery/client';
import type { Runnable } from './controller.ts';

export interface ManagerOptions {
  readonly controllers: readonly Runnable[];
  /** Run beside the controllers, and started before leadership is won, so that a new leader finds warm caches. */
  readonly informerFactory?: InformerFactory;
  /** Runs the controllers only while this process leads. @default always */
  readonly leaderElection?: LeaderGate;
}

/** Calls `lead` while this process is the leader. `newLeaderElector` makes one. */
export interface LeaderGate {
  /**
   * Campaigns until `signal` aborts. `lead` gets a signal that aborts when leadership ends; the gate waits for it to settle.
   * Rejects when leadership was lost.
   */
  run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

/** Runs many controllers with one lifetime: when one fails, all stop, and `run` rejects with its error. */
export function newManager({ controllers, informerFactory, leaderElection }: ManagerOptions): Runnable {
  const lead = (signal: AbortSignal): Promise<void> => runAll(controllers, signal);
  return {
    run(signal) {
      const main: Runnable = leaderElection === undefined ? { run: lead } : { run: (inner) => leaderElection.run(inner, lead) };
      return runAll(informerFactory === undefined ? [main] : [informerFactory, main], signal);
    },
  };
}

/** Runs all until `signal` aborts or one of them fails; waits for every one to end, then rejects with the first failure. */
export async function runAll(runnables: readonly Runnable[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  sharedSignal(stop.signal);
  const onAbort = (): void => stop.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const failures: unknown[] = [];
  const runs = runnables.map(async (runnable) => {
    try {
      await runnable.run(stop.signal);
    } catch (error) {
      failures.push(error);
      stop.abort(error);
    }
  });
  await Promise.all(runs);
  signal.removeEventListener('abort', onAbort);
  if (failures.length > 0) throw failures[0];
}
