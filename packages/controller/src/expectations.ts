import type { Clock } from '@orrery/base';

/** Writes that the caches have not shown yet. */
export interface Expected {
  /** Objects about to be created. @default 0 */
  readonly creations?: number;
  /** Uids of the objects about to be deleted. @default none */
  readonly deletions?: readonly string[];
}

/**
 * Remembers, for each key, which of our own writes the informers have not shown yet: until then the cache lags, and counting in it would
 * create or delete twice. Source: controller.UIDTrackingControllerExpectations.
 *
 * Protocol: `expect` before the writes; `creationObserved` and `deletionObserved` from informer handlers, and once for each write that
 * failed; reconcile only counts when `isSettled`. Deletions are known by uid, so that one is not counted twice (deletion marked, then gone).
 */
export interface Expectations {
  /** Replaces what was expected for `key`. Call it when `isSettled` only. */
  expect(key: string, expected: Expected): void;
  creationObserved(key: string): void;
  deletionObserved(key: string, uid: string): void;
  /** True when nothing is outstanding, or what is has been for so long that something was missed. */
  isSettled(key: string): boolean;
  /** The object of `key` is gone. */
  forget(key: string): void;
}

export interface ExpectationsOptions {
  readonly clock: Clock;
  /** After this long what is outstanding no longer counts. @default 300_000 (upstream's ExpectationsTimeout) */
  readonly ttlMs?: number;
}

interface Outstanding {
  creations: number;
  readonly deletions: Set<string>;
  readonly sinceMs: number;
}

export function newExpectations({ clock, ttlMs = 300_000 }: ExpectationsOptions): Expectations {
  const outstanding = new Map<string, Outstanding>(); // Invariant: no entry without something outstanding.

  const settle = (key: string, entry: Outstanding): void => {
    if (entry.creations <= 0 && entry.deletions.size === 0) outstanding.delete(key);
  };
  return {
    expect(key, { creations = 0, deletions = [] }) {
      const entry: Outstanding = { creations, deletions: new Set(deletions), sinceMs: clock.monotonicMs() };
      outstanding.set(key, entry);
      settle(key, entry);
    },
    creationObserved(key) {
      const entry = outstanding.get(key);
      if (entry === undefined) return;
      entry.creations -= 1;
      settle(key, entry);
    },
    deletionObserved(key, uid) {
      const entry = outstanding.get(key);
      if (entry?.deletions.delete(uid) === true) settle(key, entry);
    },
    isSettled(key) {
      const entry = outstanding.get(key);
      return entry === undefined || clock.monotonicMs() - entry.sinceMs > ttlMs;
    },
    forget: (key) => void outstanding.delete(key),
  };
}
