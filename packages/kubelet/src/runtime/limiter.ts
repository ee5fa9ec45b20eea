import { assert } from '@orrery/base';

/** Lets at most a fixed number of calls run at once; the others wait in order. */
export interface Limiter {
  run<T>(fn: () => Promise<T>): Promise<T>;
}

/** @param max - At least 1. */
export function newLimiter(max: number): Limiter {
  assert(max >= 1, 'max must be at least 1');
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(fn) {
      if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve));
      else running += 1;
      try {
        return await fn();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next(); // The place goes over to it.
      }
    },
  };
}
