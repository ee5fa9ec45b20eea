import { assert, backoffDelayMs, type Clock } from '@orrery/base';

/** Says how long an item waits before it is tried again. */
export interface RateLimiter {
  /** Milliseconds to wait now. Counts as one more failure of `item`. */
  delayMs(item: string): number;
  /** Ends the run of failures of `item`: it succeeded, or was given up. */
  forget(item: string): void;
  /** Failures of `item` in a row. */
  failures(item: string): number;
}

export interface ItemBackoff {
  /** @default 5 */
  readonly baseDelayMs?: number;
  /** @default 1_000_000 (1000 s, as upstream) */
  readonly maxDelayMs?: number;
}

/** Doubles the delay of each item on its own: a broken object does not slow the others. Remembers only items that fail. */
export function newItemRateLimiter({ baseDelayMs = 5, maxDelayMs = 1_000_000 }: ItemBackoff = {}): RateLimiter {
  const failures = new Map<string, number>();
  return {
    delayMs(item) {
      const count = (failures.get(item) ?? 0) + 1;
      failures.set(item, count);
      return backoffDelayMs(count, { baseDelayMs, maxDelayMs });
    },
    forget: (item) => void failures.delete(item),
    failures: (item) => failures.get(item) ?? 0,
  };
}

export interface BucketOptions {
  readonly clock: Clock;
  /** Items that may pass each second in the long run. @default 10 */
  readonly perSecond?: number;
  /** Items that may pass at once after a pause. @default 100 */
  readonly burst?: number;
}

/** One token bucket for all items: bounds the retries of a whole queue. Knows no failures. */
export function newBucketRateLimiter({ clock, perSecond = 10, burst = 100 }: BucketOptions): RateLimiter {
  assert(perSecond > 0 && burst >= 1, 'perSecond must be above 0, burst at least 1');
  let tokens = burst; // Invariant: at most burst; below 0 by the number of items that wait.
  let countedMs = clock.monotonicMs();
  return {
    delayMs() {
      const nowMs = clock.monotonicMs();
      tokens = Math.min(burst, tokens + ((nowMs - countedMs) * perSecond) / 1000) - 1;
      countedMs = nowMs;
      return tokens >= 0 ? 0 : (-tokens * 1000) / perSecond;
    },
    forget: () => {},
    failures: () => 0,
  };
}

/** The longest delay of several limiters. */
export function newMaxOfRateLimiter(...limiters: readonly RateLimiter[]): RateLimiter {
  return {
    delayMs: (item) => Math.max(0, ...limiters.map((limiter) => limiter.delayMs(item))),
    forget(item) {
      for (const limiter of limiters) limiter.forget(item);
    },
    failures: (item) => Math.max(0, ...limiters.map((limiter) => limiter.failures(item))),
  };
}

/** What controllers use, as upstream: 5 ms doubling to 1000 s for each item, and 10 retries a second (100 at once) for the queue. */
export const newControllerRateLimiter = (clock: Clock): RateLimiter =>
  newMaxOfRateLimiter(newItemRateLimiter(), newBucketRateLimiter({ clock }));
