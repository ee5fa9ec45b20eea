import type { Pod } from '@orrery/api/core/v1';
import { finishedAtMs, indexFailures } from './job-pods.ts';

const FIRST_DELAY_MS = 10_000;
const DELAY_MS_MAX = 600_000;

/** Failures of a job's pods since the last success. */
export interface Backoff {
  readonly failures: number;
  /** Wall time; undefined exactly when there are no failures. */
  readonly lastFailureMs: number | undefined;
}

export const noBackoff: Backoff = { failures: 0, lastFailureMs: undefined };

/** The record after more pods have ended. */
export function nextBackoff(old: Backoff, succeeded: readonly Pod[], failed: readonly Pod[]): Backoff {
  const failures = failed.map(finishedAtMs);
  if (succeeded.length === 0) {
    return failures.length === 0 ? old : { failures: old.failures + failures.length, lastFailureMs: Math.max(...failures) };
  }
  const lastSuccessMs = Math.max(...succeeded.map(finishedAtMs));
  const since = failures.filter((at) => at > lastSuccessMs);
  return since.length === 0 ? noBackoff : { failures: since.length, lastFailureMs: Math.max(...since) };
}

/** How long to wait before the next pod: 10 s after the first failure, doubling to 10 min. */
export function backoffLeftMs({ failures, lastFailureMs }: Backoff, nowMs: number): number {
  if (failures === 0 || lastFailureMs === undefined) return 0;
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), DELAY_MS_MAX);
  return Math.max(0, lastFailureMs + delayMs - nowMs);
}

/** The same for one index: its failures are noted on its last pod. */
export function indexBackoffLeftMs(lastFailed: Pod | undefined, nowMs: number): number {
  if (lastFailed === undefined) return 0;
  const { counted, ignored } = indexFailures(lastFailed);
  return backoffLeftMs({ failures: counted + ignored + 1, lastFailureMs: finishedAtMs(lastFailed) }, nowMs);
}
