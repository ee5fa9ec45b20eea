import { type Clock, type Deferred, deferred, type Timer } from '@orrery/base';
import { StorageError, type Store, type StoreEvent } from '../store.ts';

/** What a cache gives the feed. Both calls are synchronous, so the whole feed moves from revision to revision at once. */
export interface FeedSink {
  /** One change below the sink's prefix, in revision order. */
  apply(event: StoreEvent): void;
  /** Events were lost (the store fell over, or compacted past us): everything known is void and must be read again. */
  reset(): void;
}

export interface StoreFeedOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Told when the store's watch ended unexpectedly, before it is tried again. */
  readonly onError?: (error: unknown) => void;
}

interface Waiter {
  readonly revision: number;
  readonly done: Deferred<boolean>;
  timer: Timer | undefined;
}

const firstKey = '\u0000';
const lastKey = '\uffff'; // Keys are ASCII.
const retryDelayMs = 100;

/**
 * The one watch over the whole store from which all caches are kept. One stream means one revision: when the feed has reached
 * it, every cache has, so waiting for a consistent read is one comparison.
 */
export class StoreFeed {
  readonly store: Store;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #abort = new AbortController();
  /** By first path segment below `/registry/`, then the prefixes that share it. */
  readonly #sinks = new Map<string, { readonly prefix: string; readonly sink: FeedSink }[]>();
  readonly #waiters = new Set<Waiter>();
  #revision: number;

  constructor({ store, clock, onError }: StoreFeedOptions) {
    this.store = store;
    this.#clock = clock;
    this.#onError = onError ?? (() => {});
    this.#revision = store.revision;
    void this.#run();
  }

  /** Every change up to this one has been applied to every attached cache. */
  get revision(): number {
    return this.#revision;
  }

  /** Events from the next one on go to `sink`. @param prefix - Ends with a slash: `/registry/pods/`. */
  attach(prefix: string, sink: FeedSink): () => void {
    const segment = segmentOf(prefix);
    const entry = { prefix, sink };
    this.#sinks.set(segment, [...(this.#sinks.get(segment) ?? []), entry]);
    return () => {
      const left = (this.#sinks.get(segment) ?? []).filter((other) => other !== entry);
      if (left.length === 0) this.#sinks.delete(segment);
      else this.#sinks.set(segment, left);
    };
  }

  /** Resolves true when `revision` is reached, false after `timeoutMs` or when the feed closes. */
  reached(revision: number, timeoutMs?: number): boolean | Promise<boolean> {
    if (this.#revision >= revision) return true;
    if (this.#abort.signal.aborted) return false;
    const waiter: Waiter = { revision, done: deferred<boolean>(), timer: undefined };
    this.#waiters.add(waiter);
    if (timeoutMs !== undefined) waiter.timer = this.#clock.after(timeoutMs, () => this.#finish(waiter, false));
    return waiter.done.promise;
  }

  /** Ends the watch. Waiters get false. Idempotent. */
  close(): void {
    this.#abort.abort();
    for (const waiter of [...this.#waiters]) this.#finish(waiter, false);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
      } catch (error) {
        if (signal.aborted || (error instanceof StorageError && error.code === 'Closed')) return this.close();
        this.#onError(error);
        if (error instanceof StorageError && error.code === 'Compacted') this.#restart();
      }
      await this.#clock.sleep(retryDelayMs, signal).catch(() => {}); // Aborted: the loop ends.
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { store } = this;
    for await (const { events, revision } of store.watch({ start: firstKey, end: lastKey, fromRevision: this.#revision + 1 }, signal)) {
      for (const event of events) this.#dispatch(event);
      if (revision > this.#revision) this.#advance(revision);
    }
  }

  #restart(): void {
    this.#advance(this.store.revision);
    for (const sinks of this.#sinks.values()) for (const { sink } of sinks) sink.reset();
  }

  #dispatch(event: StoreEvent): void {
    for (const { prefix, sink } of this.#sinks.get(segmentOf(event.key)) ?? []) if (event.key.startsWith(prefix)) sink.apply(event);
  }

  #advance(revision: number): void {
    this.#revision = revision;
    if (this.#waiters.size === 0) return;
    for (const waiter of [...this.#waiters]) if (waiter.revision <= revision) this.#finish(waiter, true);
  }

  #finish(waiter: Waiter, value: boolean): void {
    this.#waiters.delete(waiter);
    waiter.timer?.cancel();
    waiter.done.resolve(value);
  }
}

/** `pods` of `/registry/pods/default/a`. */
function segmentOf(key: string): string {
  const start = key.indexOf('/', 1) + 1;
  const end = key.indexOf('/', start);
  return end < 0 ? key.slice(start) : key.slice(start, end);
}
