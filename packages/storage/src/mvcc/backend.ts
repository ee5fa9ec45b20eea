import type { KeyValue, StoreEvent } from '../store.ts';

/** What one transaction did. Its events share its revision. */
export interface CommittedTransaction {
  readonly revision: number;
  /** Never empty. */
  readonly events: readonly StoreEvent[];
}

export type LeaseChange =
  | { readonly type: 'grant'; readonly lease: number; readonly ttlSeconds: number }
  | { readonly type: 'revoke'; readonly lease: number };

/** What becomes durable together, or not at all. */
export interface CommitGroup {
  /** By revision, without a gap; the first follows the newest durable one. */
  readonly transactions: readonly CommittedTransaction[];
  readonly leases: readonly LeaseChange[];
  /** The new compaction, if it changes. */
  readonly compactedRevision?: number;
}

export interface PersistedLease {
  readonly lease: number;
  readonly ttlSeconds: number;
  /** Keys that die with it. */
  readonly keys: readonly string[];
}

export interface BackendRange {
  readonly entries: readonly KeyValue[];
  readonly count: number;
}

/**
 * Where the history of a store lies. It knows nothing of who waits or watches: `MvccStore` stages, serialises and publishes, and calls
 * `commit` and `trim` one at a time.
 *
 * Reads are synchronous and see what the last `commit` that resolved left, never what one in flight may already have written.
 * They throw `StorageError` `Corrupt` when what they find makes no sense.
 */
export interface Backend {
  /** The newest durable revision. */
  readonly revision: number;
  readonly compactedRevision: number;
  get(key: string): KeyValue | undefined;
  /** `revision` is neither compacted nor in the future. */
  getAt(key: string, revision: number): KeyValue | undefined;
  /** Entries of [start, end) as of `revision`, at most `limit` (0: all), and how many there are. */
  range(start: string, end: string, limit: number, revision: number): BackendRange;
  /** Whole transactions from `fromRevision` (not below the compaction) on, until there are `eventsMax` events or no more. */
  readLog(fromRevision: number, eventsMax: number): readonly CommittedTransaction[];
  /** Every lease that was granted and not revoked. */
  leases(): readonly PersistedLease[];
  /** The highest lease number that was ever granted; 0 for none. */
  readonly leaseMax: number;
  /**
   * Resolves when all of it is durable. Rejects with `NoSpace` when none of it is and the backend goes on, with anything else when it
   * cannot be used any more.
   */
  commit(group: CommitGroup): Promise<void>;
  /** Forgets a bounded piece of what lies below the compaction; false when nothing is left. Rejects as `commit` does. */
  trim(): Promise<boolean>;
  close(): Promise<void>;
}
