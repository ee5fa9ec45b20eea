import type { Clock } from '@orrery/base';

export interface RestartBackoffOptions {
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

interface Entry {
  delayMs: number;
  /** Wall time of the last step. */
  updatedMs: number;
}

/**
 * Delays per key that double with each step and fall back to the first after twice the longest delay without one.
 * Source: client-go flowcontrol.Backoff.
 */
export interface RestartBackoff {
  /** Milliseconds until `key` may go on, when its last end was at `sinceMs` (wall time); 0 when it may at once. */
  remainingMs(key: string, sinceMs: number): number;
  /** The same, counted from the last step. */
  remainingSinceStepMs(key: string): number;
  delayMs(key: string): number;
  /** One more failure. */
  step(key: string, atMs: number): void;
  reset(key: string): void;
  /** Drops keys that are past their reset. */
  prune(): void;
}

export function newRestartBackoff(clock: Clock, { baseDelayMs, maxDelayMs }: RestartBackoffOptions): RestartBackoff {
  const entries = new Map<string, Entry>();
  const expired = (entry: Entry, atMs: number): boolean => atMs - entry.updatedMs > 2 * maxDelayMs;

  const remaining = (entry: Entry | undefined, sinceMs: number): number =>
    entry === undefined || expired(entry, sinceMs) ? 0 : Math.max(0, sinceMs + entry.delayMs - clock.now());

  return {
    remainingMs: (key, sinceMs) => remaining(entries.get(key), sinceMs),
    remainingSinceStepMs(key) {
      const entry = entries.get(key);
      return entry === undefined || expired(entry, clock.now()) ? 0 : Math.max(0, entry.updatedMs + entry.delayMs - clock.now());
    },
    delayMs: (key) => entries.get(key)?.delayMs ?? 0,
    step(key, atMs) {
      const entry = entries.get(key);
      const fresh = entry === undefined || expired(entry, atMs);
      entries.set(key, { delayMs: fresh ? baseDelayMs : Math.min(entry.delayMs * 2, maxDelayMs), updatedMs: clock.now() });
    },
    reset: (key) => void entries.delete(key),
    prune() {
      for (const [key, entry] of entries) if (expired(entry, clock.now())) entries.delete(key);
    },
  };
}
