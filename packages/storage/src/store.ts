import { AssertionError } from '@orrery/base';

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
  /** First revision wanted, at least 1. One past the newest, or later, waits for it; nothing below it is delivered. */
  readonly fromRevision: number;
}

/**
 * The store's contract: etcd's. One global revision, 1 in an empty store, grows by one with each transaction that writes.
 *
 * - A write is acknowledged after it is durable. Many in flight share one sync.
 * - Reads see every acknowledged write. Nothing that is not durable is ever seen by a read, a watch or a refused transaction.
 * - Transactions are serialised in the order of the calls.
 * - Keys are ordered by their UTF-8 bytes. A key has 1 to 1,024 bytes, none of them 0, and is well-formed Unicode; bounds of ranges
 *   may have any form.
 *
 * Every method rejects with a `StorageError`: `Closed` after `close()`, `Corrupt` when what is stored cannot be understood or the
 * engine cannot tell any more what is durable (reopen the store), and what is named below.
 */
export interface Store {
  /** The newest durable revision. */
  readonly revision: number;
  /** Reads below this are `Compacted`. 0: nothing was compacted. */
  readonly compactedRevision: number;
  /**
   * The entry as of `revision`; 0: the newest. @default 0
   * @throws {StorageError} `Compacted`, `FutureRevision`.
   */
  get(key: string, revision?: number): Promise<KeyValue | undefined>;
  /** @throws {StorageError} `Compacted`, `FutureRevision`. */
  range(options: RangeOptions): Promise<RangeResult>;
  /**
   * Applies all of `ops` when every compare holds, or none. Deleting what does not exist is no write; with no write at all the
   * revision stays. Duplicate keys in `ops` are a caller bug.
   * @throws {StorageError} `NoSpace` (nothing was written; reads go on, and so do writes once there is room), `TooLarge` (keys and values
   * past 1.5 MiB, etcd's limit, or a key that the store cannot hold), `LeaseNotFound`.
   */
  transact(compares: readonly Compare[], ops: readonly WriteOp[]): Promise<TransactResult>;
  /**
   * Every event of the range from `fromRevision` on, in order: nothing is lost or repeated. Ends by abort, without an error. A consumer
   * may be as slow as it likes: what it missed is read from the history.
   * @throws {StorageError} `Compacted` when it has to start, or falls, below the compaction.
   */
  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchBatch>;
  /**
   * Forgets what stood below `revision`; the newest entry of each key stays. Durable, and the space is free for reuse, when it resolves.
   * @throws {StorageError} `Compacted` unless `revision` is above the last compaction, `FutureRevision`, `NoSpace`.
   */
  compact(revision: number): Promise<void>;
  /**
   * A lease that deletes its keys, as one transaction, when `ttlSeconds` pass without keepAlive. Survives restarts: the time starts again.
   * @throws {StorageError} `NoSpace`.
   */
  grantLease(ttlSeconds: number): Promise<number>;
  /** Starts the lease's time again. @throws {StorageError} `LeaseNotFound`. */
  keepAlive(lease: number): Promise<void>;
  /** Deletes the lease and its keys now. @throws {StorageError} `LeaseNotFound`, `NoSpace`. */
  revokeLease(lease: number): Promise<void>;
  /** Waits for writes in flight, ends watches with `Closed` and gives up the lock. Idempotent. */
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
  | 'TooLarge'
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

/** The smallest key after every key that starts with `prefix`, which must not be empty. */
export function prefixEnd(prefix: string): string {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1); // Surrogates are no characters.
  }
  throw new AssertionError('no key comes after every key with this prefix');
}
