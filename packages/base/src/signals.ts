import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.ts';

/** A signal that listens to others or to a timer. Dispose of it when the work is done, or it stays with what it listens to. */
export interface DerivedSignal extends Disposable {
  readonly signal: AbortSignal;
  dispose(): void;
}

const derived = (signal: AbortSignal, dispose: () => void): DerivedSignal => ({ signal, dispose, [Symbol.dispose]: dispose });

/**
 * Marks `signal` as one that everything in a process may wait for, and returns it. Without this Node takes more than ten listeners for a
 * leak and warns. Call it where a signal fans out: to components, workers, or many calls at once.
 */
export function sharedSignal(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}

/** Aborts when the first of `signals` does, with its reason. Absent ones are skipped. */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): DerivedSignal {
  const controller = new AbortController();
  const listeners: (() => void)[] = [];
  const dispose = (): void => {
    for (const remove of listeners.splice(0)) remove();
  };
  for (const source of signals) {
    if (source === undefined) continue;
    const onAbort = (): void => {
      dispose();
      controller.abort(source.reason);
    };
    if (source.aborted) {
      onAbort();
      break;
    }
    source.addEventListener('abort', onAbort, { once: true });
    listeners.push(() => source.removeEventListener('abort', onAbort));
  }
  return derived(controller.signal, dispose);
}

/** Aborts with a `TimeoutError` (a `DOMException`) after `delayMs` on `clock`. */
export function timeoutSignal(clock: Clock, delayMs: number, message = `timed out after ${delayMs} ms`): DerivedSignal {
  const controller = new AbortController();
  const timer = clock.after(delayMs, () => controller.abort(new DOMException(message, 'TimeoutError')), { background: true });
  return derived(controller.signal, () => timer.cancel());
}

/**
 * Settles as `promise` does, or rejects with the signal's reason when that comes first. The work behind `promise` goes on; a later
 * rejection of it is nobody's.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    const done = (): void => signal.removeEventListener('abort', onAbort);
    promise.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Resolves when `signal` aborts; at once if it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
