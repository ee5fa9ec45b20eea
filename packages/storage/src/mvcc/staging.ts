import { assert } from '@orrery/base';
import { type Compare, type KeyValue, StorageError, type StoreEvent, type WriteOp } from '../store.ts';
import type { Backend } from './backend.ts';
import { compareKeys } from './key-order.ts';

/** etcd's `--max-request-bytes`. */
const transactionBytesMax = 1.5 * 1024 * 1024;
const keyBytesMax = 1024;
const loneSurrogate = /\p{Surrogate}/u;

function assertSound(ops: readonly WriteOp[]): void {
  if (ops.length < 2) return;
  assert(new Set(ops.map((op) => op.key)).size === ops.length, 'a transaction writes a key once');
}

/** @throws {StorageError} `TooLarge` for what a store cannot hold. */
export function checkSize(ops: readonly WriteOp[]): void {
  let bytes = 0;
  for (const op of ops) {
    const keyBytes = Buffer.byteLength(op.key);
    if (keyBytes === 0 || keyBytes > keyBytesMax)
      throw new StorageError('TooLarge', `key of ${keyBytes} bytes: must have 1 to ${keyBytesMax}`);
    if (op.key.includes('\0') || loneSurrogate.test(op.key))
      throw new StorageError('TooLarge', 'key must be well-formed and must not contain NUL');
    bytes += keyBytes + (op.type === 'put' ? op.value.byteLength : 0);
  }
  if (bytes > transactionBytesMax)
    throw new StorageError('TooLarge', `transaction of ${bytes} bytes: must not have more than ${transactionBytesMax}`);
}

/**
 * The newest state, with what is staged and not yet durable laid over what is. Transactions are decided here, one after the other, at
 * the moment of the call.
 */
export interface Staging {
  /** The revision of the newest staged transaction, or the durable one. */
  readonly revision: number;
  get(key: string): KeyValue | undefined;
  holds(compares: readonly Compare[]): boolean;
  /**
   * Stages the ops at the next revision and returns its events, in key order, as the log will have them; none: nothing was written.
   */
  apply(ops: readonly WriteOp[]): readonly StoreEvent[];
  /** The events are durable: the backend has them now. */
  settle(events: readonly StoreEvent[]): void;
  /** Forgets everything staged. */
  drop(): void;
}

export function newStaging(backend: Backend): Staging {
  // Newest staged event of each key that has one.
  const staged = new Map<string, StoreEvent>();
  let revision = backend.revision;

  const get = (key: string): KeyValue | undefined => {
    const event = staged.get(key);
    if (event === undefined) return backend.get(key);
    return event.type === 'put' ? event.entry : undefined;
  };

  const toEvent = (op: WriteOp, at: number): StoreEvent | undefined => {
    const previous = get(op.key);
    if (op.type === 'delete') return previous && { type: 'delete', key: op.key, entry: previous, revision: at };
    const entry: KeyValue = {
      key: op.key,
      value: op.value,
      createRevision: previous?.createRevision ?? at,
      modRevision: at,
      lease: op.lease ?? 0,
    };
    const event = { type: 'put', key: op.key, entry, revision: at } as const;
    return previous === undefined ? event : { ...event, previous };
  };

  return {
    get revision() {
      return revision;
    },
    get,
    holds: (compares) => compares.every((compare) => (get(compare.key)?.modRevision ?? 0) === compare.modRevision),
    apply(ops) {
      assertSound(ops);
      const events = ops.map((op) => toEvent(op, revision + 1)).filter((event) => event !== undefined);
      if (events.length > 1) events.sort((a, b) => compareKeys(a.key, b.key));
      if (events.length > 0) revision += 1;
      for (const event of events) staged.set(event.key, event);
      return events;
    },
    settle(events) {
      for (const event of events) {
        if (staged.get(event.key) === event) staged.delete(event.key);
      }
    },
    drop() {
      staged.clear();
      revision = backend.revision;
    },
  };
}
