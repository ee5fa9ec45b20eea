import { assert } from './assert.ts';
import { type Deferred, deferred } from './deferred.ts';

export interface QueueOptions {
  /** Items that may wait. At least 1. */
  readonly capacity: number;
}

/**
 * A bounded first-in first-out queue between producers that never wait and consumers that iterate.
 * Several consumers share the items: each item goes to one of them. Leaving a `for await` loop early does not close the queue.
 */
export interface Queue<T> extends AsyncIterable<T> {
  /** Items that wait now. */
  readonly size: number;
  readonly closed: boolean;
  /** Takes the item; false when the queue is full or closed: the item was not taken, and the caller says what that means. */
  push(item: T): boolean;
  /** Takes no more. Consumers get what waits, then end, or then fail with `error` when there is one. Idempotent: the first call counts. */
  close(error?: Error): void;
  /** Takes no more and drops what waits. Consumers end at once, or fail with `error`. */
  abort(error?: Error): void;
}

export function newQueue<T>(options: QueueOptions): Queue<T> {
  assert(options.capacity >= 1, 'capacity must be at least 1');
  let items: T[] = []; // Invariant: items[head..] wait; empty while a consumer waits.
  let head = 0;
  const waiters: Deferred<IteratorResult<T, undefined>>[] = [];
  let closed = false;
  let failure: Error | undefined;

  const take = (): T => {
    const item = items[head] as T;
    items[head] = undefined as T; // Let go of it.
    head += 1;
    if (head > 1024 && head * 2 > items.length) {
      items = items.slice(head);
      head = 0;
    }
    return item;
  };

  const finish = (waiter: Deferred<IteratorResult<T, undefined>>): void => {
    if (failure === undefined) waiter.resolve({ done: true, value: undefined });
    else waiter.reject(failure);
  };

  const next = (): Promise<IteratorResult<T, undefined>> => {
    if (head < items.length) return Promise.resolve({ done: false, value: take() });
    const waiter = deferred<IteratorResult<T, undefined>>();
    if (closed) finish(waiter);
    else waiters.push(waiter);
    return waiter.promise;
  };

  const close = (error?: Error): void => {
    if (closed) return;
    closed = true;
    failure = error;
    for (const waiter of waiters.splice(0)) finish(waiter);
  };

  return {
    get size() {
      return items.length - head;
    },
    get closed() {
      return closed;
    },
    push(item) {
      if (closed) return false;
      const waiter = waiters.shift();
      if (waiter !== undefined) waiter.resolve({ done: false, value: item });
      else if (items.length - head >= options.capacity) return false;
      else items.push(item);
      return true;
    },
    close,
    abort(error) {
      items = [];
      head = 0;
      close(error);
    },
    [Symbol.asyncIterator]: () => ({ next }),
  };
}
