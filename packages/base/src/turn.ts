/**
 * Resolves after one turn of the event loop: every promise that could settle without I/O has settled, and I/O had its chance.
 * Long work calls this between bounded pieces so that nobody waits for the whole of it.
 */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Calls `fn` in the next turn of the event loop: once, after everything that this turn still brings. */
export const inNextTurn = (fn: () => void): void => void setImmediate(fn);
