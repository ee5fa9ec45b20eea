import type { NamespacedName } from '@orrery/apimachinery';

export interface Result {
  /** Look at the key again after this many milliseconds, at the latest. Absent: when something changes. */
  readonly requeueAfterMs?: number;
}

/**
 * Brings the world closer to what one object asks for.
 *
 * Level-driven: it reads the whole state and ignores which event woke it. It is never run for one key twice at a time, and always runs
 * after a change that it has not seen. It must expect caches that lag its own writes (see `newExpectations`), and objects that are gone.
 */
export interface Reconciler {
  /**
   * Throw to be called again with growing delay; throw {@link terminalError} when no retry can help; return `requeueAfterMs` to wait.
   * @param signal - Aborts when the controller stops: give up what is in progress.
   */
  reconcile(key: NamespacedName, signal: AbortSignal): Promise<Result>;
}

const brand = Symbol.for('orrery/controller/TerminalError'); // Survives two copies of this package.

/** An error that no retry mends: it is logged, and the key waits for the next change. */
export function terminalError(message: string, options?: ErrorOptions): Error {
  const error = new Error(message, options);
  error.name = 'TerminalError';
  return Object.assign(error, { [brand]: true });
}

export const isTerminalError = (error: unknown): boolean => error instanceof Error && brand in error;
