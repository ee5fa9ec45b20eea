import type { CachedEntry } from './cached-entry.ts';
import { getOrCreate } from './get-or-create.ts';
import type { LiveWatcher } from './live-watcher.ts';
import type { CacheEvent } from './served-event.ts';

/** A watcher that can only ever match objects whose `index` has `value`, as one node's kubelet watching its pods. */
export interface WatchTrigger {
  readonly index: string;
  readonly value: string;
}
export type IndexValue = (entry: CachedEntry) => string;

/** The watchers of one cache. A change is offered to those it may concern: 5,000 kubelets cost one pod's change one look-up. */
export class WatcherIndex {
  readonly #everything = new Set<LiveWatcher>();
  readonly #triggered = new Map<string, Map<string, Set<LiveWatcher>>>();
  readonly #read: Readonly<Record<string, IndexValue>>;

  constructor(read: Readonly<Record<string, IndexValue>>) {
    this.#read = read;
  }

  /** Returns how to take it out again. */
  add(watcher: LiveWatcher, trigger: WatchTrigger | undefined): () => void {
    const home = trigger === undefined || this.#read[trigger.index] === undefined ? this.#everything : this.#bucket(trigger);
    home.add(watcher);
    return () => {
      home.delete(watcher);
      if (trigger !== undefined && home.size === 0 && home !== this.#everything) this.#dropBucket(trigger);
    };
  }

  offer(event: CacheEvent): void {
    for (const watcher of this.#everything) watcher.offer(event);
    for (const [index, byValue] of this.#triggered) {
      const now = this.#value(index, event.entry);
      const before = this.#value(index, event.previous);
      if (now !== undefined) for (const watcher of byValue.get(now) ?? []) watcher.offer(event);
      if (before !== undefined && before !== now) for (const watcher of byValue.get(before) ?? []) watcher.offer(event);
    }
  }

  get size(): number {
    return [...this].length;
  }

  *[Symbol.iterator](): Iterator<LiveWatcher> {
    yield* this.#everything;
    for (const byValue of this.#triggered.values()) for (const watchers of byValue.values()) yield* watchers;
  }

  #value(index: string, entry: CachedEntry | undefined): string | undefined {
    return entry === undefined ? undefined : this.#read[index]?.(entry);
  }

  #bucket({ index, value }: WatchTrigger): Set<LiveWatcher> {
    const byValue = getOrCreate(this.#triggered, index, () => new Map<string, Set<LiveWatcher>>());
    return getOrCreate(byValue, value, () => new Set<LiveWatcher>());
  }

  #dropBucket({ index, value }: WatchTrigger): void {
    const byValue = this.#triggered.get(index);
    byValue?.delete(value);
    if (byValue?.size === 0) this.#triggered.delete(index);
  }
}
