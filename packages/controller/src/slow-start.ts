import { assert } from '@orrery/base';

export interface BatchOutcome {
  readonly successes: number;
  /** Calls that were never made because an earlier batch failed. */
  readonly skipped: number;
  /** The first failure, if there was one. */
  readonly error?: unknown;
}

/**
 * Calls `fn` `count` times in growing batches (1, 2, 4, …), each batch at once, and stops after the first batch with a failure: a quota that
 * refuses everything is asked once, not hundreds of times. Never rejects. Source: controller.slowStartBatch.
 * @param initialBatchSize - At least 1. @default 1
 */
export async function slowStartBatch(count: number, fn: (index: number) => Promise<void>, initialBatchSize = 1): Promise<BatchOutcome> {
  assert(initialBatchSize >= 1, 'initialBatchSize must be at least 1');
  let successes = 0;
  let started = 0;
  for (let size = Math.min(count, initialBatchSize); size > 0; size = Math.min(2 * size, count - started)) {
    const first = started;
    started += size;
    const settled = await Promise.allSettled(Array.from({ length: size }, async (_, index) => fn(first + index)));
    const failed = settled.find((outcome) => outcome.status === 'rejected');
    successes += settled.filter((outcome) => outcome.status === 'fulfilled').length;
    if (failed !== undefined) return { successes, skipped: count - started, error: failed.reason };
  }
  return { successes, skipped: 0 };
}
