import { isConflict } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';

export interface ConflictRetry {
  readonly clock: Clock;
  /** @default 5 (upstream's retry.DefaultRetry) */
  readonly attempts?: number;
  /** @default 10 */
  readonly delayMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `change` again while it fails with 409 Conflict. `change` must read the object anew each time, from the server: a lister may still
 * hold the state that conflicts. Rejects with the last conflict, or with any other error at once.
 */
export async function retryOnConflict<T>(
  change: () => Promise<T>,
  { clock, attempts = 5, delayMs = 10, signal }: ConflictRetry,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await change();
    } catch (error) {
      if (!isConflict(error) || attempt >= attempts) throw error;
      await clock.sleep(delayMs, signal);
    }
  }
}
