import { jobs } from '@orrery/api';
import type { Job } from '@orrery/api/batch/v1';
import { isNotFound } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { Client } from '@orrery/client';
import { LEASE_SECONDS } from '../plan/root.ts';

const BEAT_MS = 5_000;

export interface Heartbeat {
  /** Resolves when the root is gone without our doing: somebody stopped the run. */
  readonly gone: Promise<void>;
  /** Why the last beat was not answered; undefined when it was. */
  problem(): string | undefined;
  stop(): void;
}

/**
 * Moves the deadline of the run's root on for as long as this process lives. A beat that fails is made up for by the next: four fit into a
 * lease.
 * @param createdMs - Monotonic time before the root was asked for.
 * @param onChange - Hears when the cluster stops answering, and when it answers again.
 */
export function startHeartbeat(
  client: Client,
  { metadata }: Job,
  createdMs: number,
  clock: Clock,
  onChange: (problem: string | undefined) => void,
): Heartbeat {
  const { namespace, name, uid } = metadata;
  const stopping = new AbortController();
  let problem: string | undefined;
  const tell = (now: string | undefined): void => {
    const changed = (now === undefined) !== (problem === undefined);
    problem = now;
    if (changed) onChange(now);
  };
  const beat = async (): Promise<void> => {
    const seconds = Math.ceil((clock.monotonicMs() - createdMs) / 1000) + LEASE_SECONDS;
    const body = { metadata: { uid }, spec: { activeDeadlineSeconds: seconds } };
    await client.patch(jobs, { namespace, name }, 'merge', body, {
      signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(BEAT_MS)]),
    });
  };
  const gone = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await clock.sleep(BEAT_MS, stopping.signal);
        await beat();
        tell(undefined);
      } catch (error) {
        if (isNotFound(error) || isConflictOfUid(error)) return;
        if (!stopping.signal.aborted) tell(error instanceof Error ? error.message : String(error));
      }
    }
    await new Promise(() => undefined); // It was us who ended it.
  })();
  return { gone, problem: () => problem, stop: () => stopping.abort() };
}

/** Another object has taken the name. */
const isConflictOfUid = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 409;
