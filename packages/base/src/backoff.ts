import { assert } from './assert.ts';
import type { Random } from './random.ts';

export interface BackoffPolicy {
  /** Delay before the first retry, in milliseconds. At least 1. */
  readonly baseDelayMs: number;
  /** Upper bound of every delay, in milliseconds. At least `baseDelayMs`. */
  readonly maxDelayMs: number;
}

/**
 * Delay before the next retry of something that has failed `failures` times in a row.
 *
 * Doubles so that one broken object cannot starve a queue. No jitter: simulations need exact values.
 *
 * @param failures - Consecutive failures, 1-based: pass 1 after the first failure.
 * @returns Milliseconds in `[baseDelayMs, maxDelayMs]`. Never NaN or Infinity.
 * @throws {AssertionError} if an argument is out of range: a caller bug, never retried.
 */
export function backoffDelayMs(failures: number, policy: BackoffPolicy): number {
  assert(Number.isSafeInteger(failures) && failures >= 1, 'failures must be an integer of at least 1');
  assert(policy.baseDelayMs >= 1, 'baseDelayMs must be at least 1');
  assert(policy.baseDelayMs <= policy.maxDelayMs, 'maxDelayMs must be at least baseDelayMs');
  const doublings = Math.min(failures - 1, 30); // 2**30 ms is 12 days: past any sane cap.
  return Math.min(policy.baseDelayMs * 2 ** doublings, policy.maxDelayMs);
}

/** Spreads callers that would meet: a delay in `[delayMs, delayMs * (1 + factor))`. `factor` is at least 0. */
export const withJitter = (delayMs: number, factor: number, random: Random): number => delayMs * (1 + factor * random.float());
