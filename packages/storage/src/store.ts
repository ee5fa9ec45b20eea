/** One key as it stood at some revision. Immutable: share it, never write into `value`. */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision that created this key (since its last deletion). */
  readonly createRevision: number;
  /** Revision that last wrote this key. */
  readonly modRevision: number;
  /** Lease this key dies with; 0 for none. */
  readonly lease: number;
}

/** True while `key` was last written at `modRevision`; 0 means that it does not exist. */
export interface Compare {
  readonly key: string;
  readonly modRevision: number;
}

export type WriteOp =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: number }
  | { readonly type: 'delete'; readonly key: string };

export type TransactResult =
  /** Durable at `revision`. Every write of one transaction has the same revision. */
  | { readonly succeeded: true; readonly revision: number }
  /** Nothing was written. `current` has one entry per compare, in order. */
  | { readonly succeeded: false; readonly revision: number; readonly current: readonly (KeyValue | undefined)[] };

export interface RangeOptions {
  /** First key. */
  readonly start: string;
  /** First key that is not part of the range. */
  readonly end: string;
  /** 0: no limit. @default 0 */
  readonly limit?: number;
  /** As of this revision; 0: the newest. @default 0 */
  readonly revision?: number;
}
export interface RangeResult {
  /** In key order (bytewise). */
  readonly entries: readonly KeyValue[];
  /** Keys in the whole range at that revision, also past the limit. */
  readonly count: number;
  /** The revision the store had when the range was read. */
  readonly revision: number;
}

export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** The new entry; of a deletion, the entry that it removed. */
  readonly entry: KeyValue;
  /** The entry that a put replaced. */
  readonly previous?: KeyValue;
  readonly revision: number;
}
/** All events of one or more whole revisions, in order. */
export interface WatchBatch {
  readonly events: readonly StoreEvent[];
  /** Every event up to and including this revision has been delivered. Grows; may come with no events (progress). */
  readonly revision: number;
}
export interface WatchOptions {
  readonly start: string;
  readonly end: string;
  /** First revision wanted. One past the newest, or later, waits for it. */
  readonly fromRevision: number;
}

/**
 * The store's contract: etcd's. One global revision starts at 1 and grows by one with each writing transaction.
 *
 * - A write is acknowledged after it is durable. Many in flight share one sync.
 * - Reads see every acknowledged write. Nothing that is not durable is ever seen by a read or a watch.
 * - Transactions are serialised in the order of the calls.
 *
 * Every method rejects with a `StorageError`: `Compacted` and `FutureRevision` (ranges, watches), `NoSpace`, `Corrupt`, `Locked`, `Closed`.
 */
export interface Store {
  /** The newest durable revision. */
  readonly revision: number;
  /** Reads below this are `Compacted`. 0: nothing was compacted. */
  readonly compactedRevision: number;
  get(key: string, revision?: number): Promise<KeyValue | undefined>;
  range(options: RangeOptions): Promise<RangeResult>;
  /** Applies all of `ops` when every compare holds, or none. Duplicate keys in `ops` are a caller bug. */
  transact(compares: readonly Compare[], ops: readonly WriteOp[]): Promise<TransactResult>;
  /** Nothing is lost or repeated; ends by abort. Throws `Compacted` when it has to start, or falls, below the compaction. */
  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchBatch>;
  /** Forgets what stood below `revision`; the newest entry of each key stays. Durable. */
  compact(revision: number): Promise<void>;
  /** A lease that deletes its keys when `ttlSeconds` pass without keepAlive. Survives restarts. */
  grantLease(ttlSeconds: number): Promise<number>;
  keepAlive(lease: number): Promise<void>;
  revokeLease(lease: number): Promise<void>;
  /** Waits for writes in flight and gives up the lock. Idempotent. */
  close(): Promise<void>;
}

export type StorageErrorCode =
  | 'Compacted'
  | 'FutureRevision'
  | 'NoSpace'
  | 'Corrupt'
  | 'Locked'
  | 'VersionTooNew'
  | 'LeaseNotFound'
  | 'Closed';

/** An operating error of a store. Border code translates it to a `StatusError` once. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;
  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The smallest key after every key that starts with `prefix`. */
export function prefixEnd(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}
