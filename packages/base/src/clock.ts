/** Something that will happen later. */
export interface Timer {
  /** Makes sure it never happens. Safe to call again, and after it happened. */
  cancel(): void;
}

export interface TimerOptions {
  /** A background timer does not keep the process running: right for housekeeping, wrong for work that somebody awaits. @default false */
  readonly background?: boolean;
}

/** All time in Orrery comes from here: real in a cluster, virtual in simulations. */
export interface Clock {
  /** True for a clock that stands still while work is done, so that it cannot measure work. @default false */
  readonly isVirtual?: boolean;
  /** Wall time in milliseconds since the epoch. May jump; use it for timestamps only. */
  now(): number;
  /** Milliseconds that only grow. Use it for durations and deadlines. */
  monotonicMs(): number;
  /** Calls `fn` once, not before `delayMs` (at least 0) has passed, and never before this call has returned. */
  after(delayMs: number, fn: () => void, options?: TimerOptions): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
