import { assert, type Deferred, deferred } from '@orrery/base';
import { StorageError, type StoreEvent, type WatchBatch, type WatchOptions } from '../store.ts';
import type { Backend, CommittedTransaction } from './backend.ts';
import { keyRange } from './key-order.ts';
import { newRecentLog } from './recent-log.ts';

/** Events that a watcher reads from the backend's log in one piece. */
const catchUpEventsMax = 1000;

/**
 * Tells watchers what became durable. A watcher has no buffer: it has a position, and reads on from there in the recent log or, when it
 * is slow, in the backend's.
 */
export interface WatchHub {
  /** The transactions are durable and the backend's `revision` is theirs. */
  publish(transactions: readonly CommittedTransaction[]): void;
  /** The compaction has moved. */
  wake(): void;
  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchBatch>;
  /** Ends every watch with `error`, now and from now on. */
  close(error: Error): void;
}

export function newWatchHub(backend: Backend): WatchHub {
  const recent = newRecentLog();
  const sleepers = new Set<Deferred<void>>(); // Watchers that wait for something new.
  let failure: Error | undefined;
  // What watchers may know. Behind the backend's between its commit and `publish`; `recent` reaches exactly up to here.
  let published = backend.revision;

  const wake = (): void => {
    for (const sleeper of sleepers) sleeper.resolve();
    sleepers.clear();
  };

  const sleep = async (signal: AbortSignal): Promise<void> => {
    const sleeper = deferred<void>();
    const onAbort = (): void => sleeper.resolve();
    sleepers.add(sleeper);
    signal.addEventListener('abort', onAbort, { once: true });
    await sleeper.promise;
    signal.removeEventListener('abort', onAbort);
    sleepers.delete(sleeper);
  };

  /** What follows `next`, as far as one piece goes. */
  const read = (next: number, isInRange: (key: string) => boolean): WatchBatch => {
    if (next < backend.compactedRevision) {
      throw new StorageError('Compacted', `revision ${next} is compacted; the oldest is ${backend.compactedRevision}`);
    }
    const transactions = recent.since(next) ?? backend.readLog(next, catchUpEventsMax);
    const events: StoreEvent[] = [];
    for (const transaction of transactions) {
      for (const event of transaction.events) if (isInRange(event.key)) events.push(event);
    }
    return { events, revision: transactions.at(-1)?.revision ?? published };
  };

  const watch = async function* (options: WatchOptions, signal: AbortSignal): AsyncGenerator<WatchBatch, void, undefined> {
    const isInRange = keyRange(options.start, options.end);
    let next = options.fromRevision; // Everything of the range below this was delivered, or not asked for.
    while (!signal.aborted) {
      if (failure !== undefined) throw failure;
      if (next > published) {
        await sleep(signal);
        continue;
      }
      const batch = read(next, isInRange);
      next = batch.revision + 1;
      yield batch;
    }
  };

  return {
    publish(transactions) {
      recent.push(transactions);
      published = transactions.at(-1)?.revision ?? published;
      wake();
    },
    wake,
    watch(options, signal) {
      assert(Number.isSafeInteger(options.fromRevision) && options.fromRevision >= 1, 'fromRevision must be at least 1');
      return watch(options, signal);
    },
    close(error) {
      failure ??= error;
      wake();
    },
  };
}
