import { assert } from './assert.ts';
import type { Clock } from './clock.ts';
import { sleepOn } from './sleep.ts';
import { newTimerHeap, type PendingTimer } from './timer-heap.ts';
import { nextTurn } from './turn.ts';

/** Time that stands still until it is moved. Timers run in order of due time, then of creation. */
export interface VirtualClock extends Clock {
  /** Timers that wait. */
  readonly pendingTimers: number;
  /**
   * Moves time by `ms`. Runs each timer that falls due at its own instant and lets everything settle after each, so timers that these
   * set run too when they fall into the span.
   */
  advance(ms: number): Promise<void>;
  /**
   * Jumps from timer to timer until `condition` holds; it is asked first, and again after each timer.
   * @throws {Error} when `withinMs` (default: an hour) of virtual time have passed, or no timer is left and it still does not hold.
   */
  runUntil(condition: () => boolean, options?: { readonly withinMs?: number }): Promise<void>;
  /** Jumps from timer to timer until `promise` settles, and settles as it did. Limits as `runUntil`. */
  runFor<T>(promise: Promise<T>, options?: { readonly withinMs?: number }): Promise<T>;
}

export interface VirtualClockOptions {
  /** Wall time at the start, in milliseconds since the epoch. @default 2026-01-01T00:00:00Z */
  readonly startMs?: number;
}

// Turns that work may take which reaches outside the timers (a file, a socket), before runUntil gives up with no timer left.
const idleTurnsMax = 1000;

/** Only one of `advance`, `runUntil` and `runFor` may run at a time. */
export function newVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const startMs = options.startMs ?? Date.UTC(2026, 0, 1);
  const heap = newTimerHeap();
  let elapsedMs = 0; // Only grows.
  let order = 0;
  let pendingTimers = 0; // Timers neither fired nor cancelled.
  let running = false;

  const exclusively = async <T>(fn: () => Promise<T>): Promise<T> => {
    assert(!running, 'a virtual clock is moved by one caller at a time');
    running = true;
    try {
      return await fn();
    } finally {
      running = false;
    }
  };

  const after: Clock['after'] = (delayMs, fn) => {
    assert(delayMs >= 0, 'delayMs must be at least 0');
    const timer: PendingTimer = { dueMs: elapsedMs + delayMs, order: order++, fn, cancelled: false };
    const leave = (): void => {
      if (!timer.cancelled) pendingTimers -= 1;
      timer.cancelled = true;
    };
    heap.push(timer);
    pendingTimers += 1;
    return { cancel: leave };
  };

  /** Runs the next timer if it is due by `limitMs`; false: there is none. */
  const step = async (limitMs: number): Promise<boolean> => {
    const timer = heap.peek();
    if (timer === undefined || timer.dueMs > limitMs) return false;
    heap.pop();
    timer.cancelled = true; // A cancel() from now on changes nothing.
    pendingTimers -= 1;
    elapsedMs = timer.dueMs;
    timer.fn();
    await nextTurn();
    return true;
  };

  const advance = async (ms: number): Promise<void> => {
    assert(ms >= 0, 'time does not go back');
    const limitMs = elapsedMs + ms;
    await nextTurn();
    while (await step(limitMs));
    elapsedMs = limitMs;
  };

  const runUntil = async (condition: () => boolean, withinMs: number): Promise<void> => {
    const limitMs = elapsedMs + withinMs;
    let idleTurns = 0;
    await nextTurn();
    while (!condition()) {
      if (await step(limitMs)) {
        idleTurns = 0;
        continue;
      }
      if (pendingTimers > 0) throw new Error(`the condition does not hold after ${withinMs} ms of virtual time`);
      idleTurns += 1;
      if (idleTurns > idleTurnsMax) throw new Error('the condition does not hold and no timer is left that could change it');
      await nextTurn();
    }
  };

  const runFor = async <T>(promise: Promise<T>, withinMs: number): Promise<T> => {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await runUntil(() => settled, withinMs);
    return promise;
  };

  const hourMs = 3_600_000;
  const clock: VirtualClock = {
    isVirtual: true,
    now: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after,
    sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
    get pendingTimers() {
      return pendingTimers;
    },
    advance: (ms) => exclusively(() => advance(ms)),
    runUntil: (condition, limits) => exclusively(() => runUntil(condition, limits?.withinMs ?? hourMs)),
    runFor: (promise, limits) => exclusively(() => runFor(promise, limits?.withinMs ?? hourMs)),
  };
  return clock;
}
