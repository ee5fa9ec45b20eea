import { assert } from './assert.ts';
import type { Clock, Timer, TimerOptions } from './clock.ts';
import { sleepOn } from './sleep.ts';

// Node fires timers past 2**31 - 1 ms at once; longer delays are walked in steps of this length.
const stepMsMax = 2 ** 31 - 1;

function after(delayMs: number, fn: () => void, options: TimerOptions = {}): Timer {
  assert(delayMs >= 0, 'delayMs must be at least 0');
  const dueMs = performance.now() + delayMs;
  let handle: NodeJS.Timeout;
  const arm = (restMs: number): void => {
    handle = setTimeout(fire, Math.min(Math.ceil(restMs), stepMsMax));
    if (options.background === true) handle.unref();
  };
  const fire = (): void => {
    // Node counts from a cached loop time and may be a fraction of a millisecond early.
    const restMs = dueMs - performance.now();
    if (restMs > 0) arm(restMs);
    else fn();
  };
  arm(delayMs);
  return { cancel: () => clearTimeout(handle) };
}

/** The machine's time. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after,
  sleep: (delayMs, signal) => sleepOn(realClock, delayMs, signal),
};
