import { assert } from '@orrery/base';

/** Lets at most a fixed number of calls run at once; the others wait in order. */
export interface Limiter {
  run<T>(fn: () => Promise<T>): Promise<T>;
  /** Before all that wait by {@link Limiter.run}: for the rest of what has begun, so that of many pods the first are done early. */
  runFirst<T>(fn: () => Promise<T>): Promise<T>;
}

/** @param max - At least 1. */
export function newLimiter(max: number): Limiter {
  assert(max >= 1, 'max must be at least 1');
  let running = 0;
  const first: (() => void)[] = [];
  const waiting: (() => void)[] = [];

  async function runIn<T>(queue: (() => void)[], fn: () => Promise<T>): Promise<T> {
    if (running >= max) await new Promise<void>((resolve) => queue.push(resolve));
    else running += 1;
    try {
      return await fn();
    } finally {
      const next = first.shift() ?? waiting.shift();
      if (next === undefined) running -= 1;
      else next(); // The place goes over to it.
    }
  }
  return {
    run: (fn) => runIn(waiting, fn),
    runFirst: (fn) => runIn(first, fn),
  };
}
