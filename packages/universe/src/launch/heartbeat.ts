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
  stop(): void;
}

/**
 * Moves the deadline of the run's root on for as long as this process lives. A beat that fails is made up for by the next: four fit into a
 * lease.
 * @param createdMs - Monotonic time before the root was asked for.
 */
export function startHeartbeat(client: Client, { metadata }: Job, createdMs: number, clock: Clock): Heartbeat {
  const { namespace, name, uid } = metadata;
  const stopping = new AbortController();
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
      } catch (error) {
        if (isNotFound(error) || isConflictOfUid(error)) return;
      }
    }
    await new Promise(() => undefined); // It was us who ended it.
  })();
  return { gone, stop: () => stopping.abort() };
}

/** Another object has taken the name. */
const isConflictOfUid = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 409;
