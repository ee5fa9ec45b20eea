import { type Deferred, deferred } from '@orrery/base';
import type { CachedEntry } from './cached-entry.ts';
import type { CacheEvent, ServedEvent } from './served-event.ts';

/** Why a watcher ended: `slow` when its buffer was full, `reset` when the cache lost its place in the store. */
export type WatcherEnd = 'closed' | 'slow' | 'reset';

export interface LiveWatcherOptions {
  /** Absent: everything. */
  readonly matches: ((entry: CachedEntry) => boolean) | undefined;
  readonly bookmark: ((revision: number) => ServedEvent) | undefined;
  readonly eventsMax: number;
}

/**
 * The buffer between the cache, which never waits, and one consumer, which takes everything that has come in at once.
 * Invariant: holds at most `eventsMax` events; the one that does not fit ends the watcher.
 */
export class LiveWatcher {
  readonly #matches: ((entry: CachedEntry) => boolean) | undefined;
  readonly #eventsMax: number;
  #events: ServedEvent[] = [];
  #waiting: Deferred<void> | undefined;
  #end: WatcherEnd | undefined;
  /** Makes the periodic bookmark; absent for a watcher that wants none. */
  readonly bookmark: ((revision: number) => ServedEvent) | undefined;

  constructor(options: LiveWatcherOptions) {
    this.#matches = options.matches;
    this.#eventsMax = options.eventsMax;
    this.bookmark = options.bookmark;
  }

  get end(): WatcherEnd | undefined {
    return this.#end;
  }

  offer(event: CacheEvent): void {
    const seen = event.seenBy(this.#matches);
    if (seen !== undefined) this.push(seen);
  }

  push(event: ServedEvent): void {
    if (this.#end !== undefined) return;
    if (this.#events.length < this.#eventsMax) this.#events.push(event);
    else this.#end = 'slow';
    this.#wake();
  }

  /** What has come in so far still goes out; then {@link take} answers undefined. */
  close(end: WatcherEnd): void {
    this.#end ??= end;
    this.#wake();
  }

  /** Everything that is waiting; waits for the first event. Undefined at the end. */
  async take(): Promise<readonly ServedEvent[] | undefined> {
    while (this.#events.length === 0) {
      if (this.#end !== undefined) return undefined;
      this.#waiting ??= deferred<void>();
      await this.#waiting.promise;
    }
    const taken = this.#events;
    this.#events = [];
    return taken;
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
