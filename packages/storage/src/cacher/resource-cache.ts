import type { Clock, Timer } from '@orrery/base';
import { type KeyValue, prefixEnd, StorageError, type StoreEvent } from '../store.ts';
import { CachedEntry, type EntryPolicy } from './cached-entry.ts';
import { EntryIndex } from './entry-index.ts';
import { EventRing } from './event-ring.ts';
import { getOrCreate } from './get-or-create.ts';
import type { LiveWatcher } from './live-watcher.ts';
import { PendingWrite, PendingWrites } from './pending-write.ts';
import { CacheEvent } from './served-event.ts';
import { type Slot, SortedSlots } from './sorted-slots.ts';
import type { FeedSink, StoreFeed } from './store-feed.ts';
import { type IndexValue, WatcherIndex, type WatchTrigger } from './watcher-index.ts';

export interface ResourceCacheOptions {
  readonly feed: StoreFeed;
  readonly clock: Clock;
  /** Ends with a slash: `/registry/pods/`. */
  readonly prefix: string;
  readonly namespaced: boolean;
  /** Values by which lists and watches may be narrowed cheaply: the selectable fields. */
  readonly indexes?: Readonly<Record<string, IndexValue>>;
  /** Freeze what is handed out. @default false */
  readonly freeze?: boolean;
  /** Changes kept for watches that resume; older ones come from the store's history. @default 1024 */
  readonly ringEvents?: number;
}

const ringEventsDefault = 1024;
const bookmarkPeriodMs = 60_000;

/**
 * All objects of one resource in memory, kept by the store's feed. Filled on first use by one range.
 *
 * Everything synchronous here is a consistent snapshot at `feed.revision`: the feed applies whole revisions at once.
 */
export class ResourceCache implements FeedSink {
  readonly prefix: string;
  readonly feed: StoreFeed;
  readonly policy: EntryPolicy;
  readonly #options: ResourceCacheOptions;
  readonly namespaced: boolean;
  readonly #detach: () => void;
  readonly #pending = new PendingWrites();
  readonly #watchers: WatcherIndex;
  readonly #indexes = new Map<string, EntryIndex>();
  #namespaces = new Map<string, SortedSlots>();
  #ring: EventRing;
  /** Revision of the range that filled the cache; undefined until then. */
  #filledAt: number | undefined;
  #filling: Promise<void> | undefined;
  /** Events that came while the range was read. */
  #early: StoreEvent[] = [];
  #changedAt = 0;
  #count = 0;
  #bookmarkTimer: Timer | undefined;
  #closed = false;

  constructor(options: ResourceCacheOptions) {
    this.prefix = options.prefix;
    this.feed = options.feed;
    this.#options = options;
    this.namespaced = options.namespaced;
    this.policy = { freeze: options.freeze ?? false };
    this.#watchers = new WatcherIndex(options.indexes ?? {});
    this.#ring = new EventRing(1, 0);
    this.#detach = options.feed.attach(options.prefix, this);
  }

  /** The revision of the newest change to this resource that the cache has seen. */
  get changedAt(): number {
    return this.#changedAt;
  }

  get size(): number {
    return this.#count;
  }

  /** Watchers now. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** Resolves when the cache is filled and the feed has passed the filling. Reads before that see nothing. */
  ready(): Promise<void> | undefined {
    if (this.#filledAt !== undefined && this.feed.revision >= this.#filledAt) return undefined;
    this.#filling ??= this.#fill();
    return this.#filling;
  }

  get(key: string): CachedEntry | undefined {
    const { namespace, name } = this.#split(key);
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** In key order. @param namespace - Absent: all. */
  *slots(namespace?: string): Iterable<readonly Slot[]> {
    if (namespace !== undefined) {
      yield this.#namespaces.get(namespace)?.ordered() ?? [];
      return;
    }
    // Keys are `<namespace>/<name>`: the slash takes part in the order (`a-b/x` comes before `a/x`).
    const names = [...this.#namespaces.keys()].sort((a, b) => (a + '/' < b + '/' ? -1 : 1));
    for (const name of names) yield this.#namespaces.get(name)?.ordered() ?? [];
  }

  /** In key order. @param namespace - Absent: all. */
  entries(namespace?: string): CachedEntry[] {
    const out: CachedEntry[] = [];
    for (const slots of this.slots(namespace)) for (const { entry } of slots) out.push(entry);
    return out;
  }

  /** Entries whose index has `value`, in key order; undefined where there is no such index. */
  byIndex({ index, value }: WatchTrigger): CachedEntry[] | undefined {
    const read = this.#options.indexes?.[index];
    if (read === undefined) return undefined;
    const entries = getOrCreate(this.#indexes, index, () => new EntryIndex(read, this.entries()));
    return [...entries.get(value)].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** An entry of this cache for something that the store itself returned: the cached one where it is the same state. */
  entryOf({ key, value, modRevision }: KeyValue): CachedEntry {
    const cached = this.get(key);
    return cached?.revision === modRevision ? cached : new CachedEntry(key, modRevision, value, this.policy);
  }

  /** Announces a write: see {@link PendingWrite}. Every one must end in its event or in {@link forget}. */
  announce(key: string, bytes: Uint8Array, object: CachedEntry['object']): PendingWrite {
    const write = new PendingWrite(key, bytes, object, this.policy);
    if (this.#filledAt !== undefined) this.#pending.add(write);
    return write;
  }

  forget(write: PendingWrite): void {
    this.#pending.remove(write);
  }

  /** Changes after `revision`, or undefined when they must be read from the store's history. */
  changesSince(revision: number): readonly CacheEvent[] | undefined {
    return this.#ring.since(revision);
  }

  /** What is offered to the watcher starts after `feed.revision` of this moment. Returns how to end it. */
  watch(watcher: LiveWatcher, trigger?: WatchTrigger): () => void {
    const remove = this.#watchers.add(watcher, trigger);
    if (watcher.bookmark !== undefined) this.#scheduleBookmarks();
    return () => {
      remove();
      watcher.close('closed');
    };
  }

  /** {@inheritDoc FeedSink.apply} */
  apply(event: StoreEvent): void {
    if (this.#filledAt === undefined) {
      if (this.#filling !== undefined) this.#early.push(event);
      return;
    }
    if (event.revision > this.#filledAt) this.#change(event);
  }

  /** {@inheritDoc FeedSink.reset} */
  reset(): void {
    this.#filledAt = undefined;
    this.#filling = undefined;
    this.#early = [];
    this.#pending.clear();
    for (const watcher of [...this.#watchers]) watcher.close('reset');
  }

  /** Ends every watcher. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#detach();
    this.#bookmarkTimer?.cancel();
    for (const watcher of [...this.#watchers]) watcher.close('closed');
  }

  async #fill(): Promise<void> {
    const { store } = this.feed;
    try {
      const { entries, revision } = await store.range({ start: this.prefix, end: prefixEnd(this.prefix) });
      this.#namespaces = new Map();
      this.#indexes.clear();
      this.#count = 0;
      for (const { key, value, modRevision } of entries) this.#put(key, new CachedEntry(key, modRevision, value, this.policy));
      this.#ring = new EventRing(this.#options.ringEvents ?? ringEventsDefault, revision);
      this.#changedAt = revision;
      this.#filledAt = revision;
      const early = this.#early;
      this.#early = [];
      for (const event of early) this.apply(event);
      if (!(await this.feed.reached(revision))) throw new StorageError('Closed', 'the store is closed');
    } finally {
      this.#filling = undefined;
      if (this.#filledAt === undefined) this.#early = [];
    }
  }

  #change(event: StoreEvent): void {
    const { key, revision } = event;
    const previous = this.get(key);
    const entry = event.type === 'put' ? this.#written(event.entry, revision) : undefined;
    if (entry !== undefined) this.#put(key, entry);
    else this.#remove(key);
    this.#changedAt = revision;
    if (entry === undefined && previous === undefined) return;
    for (const index of this.#indexes.values()) index.change(previous, entry);
    const change = new CacheEvent(revision, entry, previous);
    this.#ring.push(change);
    this.#watchers.offer(change);
  }

  #written({ key, value }: KeyValue, revision: number): CachedEntry {
    return this.#pending.take(key, value)?.settle(revision) ?? new CachedEntry(key, revision, value, this.policy);
  }

  #put(key: string, entry: CachedEntry): void {
    const { namespace, name } = this.#split(key);
    const slots = getOrCreate(this.#namespaces, namespace, () => new SortedSlots());
    this.#count -= slots.size;
    slots.set(name, entry);
    this.#count += slots.size;
  }

  #remove(key: string): void {
    const { namespace, name } = this.#split(key);
    const slots = this.#namespaces.get(namespace);
    if (slots === undefined) return;
    this.#count -= slots.size;
    slots.delete(name);
    this.#count += slots.size;
    if (slots.size === 0) this.#namespaces.delete(namespace);
  }

  #split(key: string): { readonly namespace: string; readonly name: string } {
    const start = this.prefix.length;
    const slash = this.namespaced ? key.indexOf('/', start) : -1;
    if (slash < 0) return { namespace: '', name: key.slice(start) };
    return { namespace: key.slice(start, slash), name: key.slice(slash + 1) };
  }

  /** One timer for all watchers; it rests while nobody wants bookmarks. */
  #scheduleBookmarks(): void {
    this.#bookmarkTimer ??= this.#options.clock.after(
      bookmarkPeriodMs,
      () => {
        this.#bookmarkTimer = undefined;
        let wanted = false;
        for (const watcher of this.#watchers) {
          if (watcher.bookmark === undefined) continue;
          wanted = true;
          watcher.push(watcher.bookmark(this.feed.revision));
        }
        if (wanted && !this.#closed) this.#scheduleBookmarks();
      },
      { background: true },
    );
  }
}
