import { isStatusError } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import { ConnectionError } from '../http/connection.ts';

/** While the server is out of reach every informer fails alike, again and again: one line says it for all, and so often. */
const OUTAGE_LINE_MS = 60_000;

/** Tells of lists and watches that failed and are retried: each with what it met, but a lost connection once a minute in one short line. */
export function newRetryLog(log: Logger, clock: Clock): (resource: string, error: unknown) => void {
  let saidMs = Number.NEGATIVE_INFINITY;
  let unsaid = 0; // Invariant: failures since the last line.
  return (resource, error) => {
    if (!isStatusError(error) || !(error.cause instanceof ConnectionError)) {
      log.warn('list or watch failed; retrying', { resource, error });
      return;
    }
    unsaid += 1;
    if (clock.monotonicMs() - saidMs < OUTAGE_LINE_MS) return;
    log.warn('the API server is out of reach; retrying', { error: error.message, failures: unsaid });
    saidMs = clock.monotonicMs();
    unsaid = 0;
  };
}
