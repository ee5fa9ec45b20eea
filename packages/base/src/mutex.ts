import { abortable } from './signals.ts';

/** Runs one at a time, in the order of the calls. Not reentrant: `run` inside `run` waits for ever. */
export interface Mutex {
  /** Somebody runs or waits. */
  readonly busy: boolean;
  /** Settles as `fn` does. Rejects with the signal's reason, without running `fn`, when it aborts before the turn has come. */
  run<T>(fn: () => T | Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function newMutex(): Mutex {
  let tail: Promise<unknown> = Promise.resolve(); // Settles when the last that was called has ended; never rejects.
  let inside = 0; // Callers that run or wait.

  const runInTurn = async <T>(turn: Promise<unknown>, fn: () => T | Promise<T>, signal?: AbortSignal): Promise<T> => {
    await turn;
    signal?.throwIfAborted();
    return await fn();
  };

  return {
    get busy() {
      return inside > 0;
    },
    run(fn, signal) {
      inside += 1;
      let started = false;
      const begin = (): ReturnType<typeof fn> => {
        started = true;
        return fn();
      };
      const turn = runInTurn(tail, begin, signal);
      const leave = (): void => {
        inside -= 1;
      };
      tail = turn.catch(() => undefined);
      // An abort ends the wait at once, but never a run that has begun.
      const result =
        signal === undefined ? turn : abortable(turn, signal).catch((error: unknown) => (started ? turn : Promise.reject(error)));
      result.then(leave, leave);
      return result;
    },
  };
}

/** One `Mutex` for each key; keys that nobody uses take no memory. */
export interface KeyedMutex<K> {
  run<T>(key: K, fn: () => T | Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function newKeyedMutex<K>(): KeyedMutex<K> {
  const mutexes = new Map<K, Mutex>(); // Invariant: every entry is busy.
  return {
    async run(key, fn, signal) {
      const mutex = mutexes.get(key) ?? newMutex();
      mutexes.set(key, mutex);
      try {
        return await mutex.run(fn, signal);
      } finally {
        if (!mutex.busy && mutexes.get(key) === mutex) mutexes.delete(key);
      }
    },
  };
}
