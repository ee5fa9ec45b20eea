import type { KeyValue, StoreEvent } from '../store.ts';
import { CachedEntry } from './cached-entry.ts';
import { LiveWatcher } from './live-watcher.ts';
import type { ResourceCache } from './resource-cache.ts';
import { CacheEvent, ServedEvent } from './served-event.ts';
import type { WatchTrigger } from './watcher-index.ts';

export interface CacheWatchOptions {
  /**
   * First what there is now, as ADDED in key order (`state`), or the changes after a revision (`{ after }`), or only what
   * comes from now on (`now`).
   */
  readonly from: 'state' | 'now' | { readonly after: number };
  /** Absent: everything. */
  readonly matches?: ((entry: CachedEntry) => boolean) | undefined;
  /** Holds for everything that `matches`: narrows the work. */
  readonly trigger?: WatchTrigger | undefined;
  readonly namespace?: string | undefined;
  /** Makes the bookmarks that come every minute; absent: none. */
  readonly bookmark?: ((revision: number) => ServedEvent) | undefined;
  /** Comes directly after the initial state. Only with `from: 'state'`. */
  readonly initialEnd?: ((revision: number) => ServedEvent) | undefined;
  /** Events that may wait for the consumer before it counts as too slow. @default 16384 */
  readonly eventsMax?: number;
  /** Largest initial batch. @default 500 */
  readonly batchMax?: number;
}

const eventsMaxDefault = 16_384;
const batchMaxDefault = 500;

/**
 * Watches a cache that is ready. Batches in revision order, never empty; no event is lost or repeated between the initial part
 * and the live one. Ends by abort, when the consumer is too slow, or when the cache loses its place in the store.
 * @throws {StorageError} `Compacted` when `from.after` lies before what the cache and the store remember.
 */
export async function* watchCache(
  cache: ResourceCache,
  options: CacheWatchOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly ServedEvent[], void, undefined> {
  if (signal.aborted) return;
  const watcher = new LiveWatcher({
    matches: options.matches,
    bookmark: options.bookmark,
    eventsMax: options.eventsMax ?? eventsMaxDefault,
  });
  // No await from here to the first read of the cache: the live part starts exactly where the initial part ends.
  const startedAt = cache.feed.revision;
  const initial = initialEvents(cache, options, startedAt, signal);
  const stop = cache.watch(watcher, options.trigger);
  signal.addEventListener('abort', stop, { once: true });
  const skipTo = typeof options.from === 'object' ? options.from.after : 0;
  try {
    yield* initial;
    if (signal.aborted) return; // The history may have been cut short: what came in live must not follow a gap.
    for (let batch = await watcher.take(); batch !== undefined; batch = await watcher.take()) {
      const wanted = skipTo <= startedAt ? batch : batch.filter(({ item }) => item.revision > skipTo);
      if (wanted.length > 0) yield wanted;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

type Batches = Iterable<readonly ServedEvent[]> | AsyncIterable<readonly ServedEvent[]>;

/** Takes its snapshot before it returns. */
function initialEvents(cache: ResourceCache, options: CacheWatchOptions, startedAt: number, signal: AbortSignal): Batches {
  const { from, matches, initialEnd } = options;
  const batchMax = options.batchMax ?? batchMaxDefault;
  if (from === 'now') return [];
  if (from === 'state') return stateEvents(snapshot(cache, options), matches, initialEnd?.(startedAt), batchMax);
  if (from.after >= startedAt) return [];
  const changes = cache.changesSince(from.after);
  if (changes === undefined) return historyEvents(cache, options, from.after, startedAt, signal);
  return inBatches(seen(changes, matches), batchMax);
}

function snapshot(cache: ResourceCache, { trigger, namespace }: CacheWatchOptions): readonly CachedEntry[] {
  return (trigger === undefined ? undefined : cache.byIndex(trigger)) ?? cache.entries(namespace);
}

function* stateEvents(
  entries: readonly CachedEntry[],
  matches: CacheWatchOptions['matches'],
  end: ServedEvent | undefined,
  batchMax: number,
): Iterable<readonly ServedEvent[]> {
  let batch: ServedEvent[] = [];
  for (const entry of entries) {
    if (matches !== undefined && !matches(entry)) continue;
    batch.push(new ServedEvent('ADDED', entry));
    if (batch.length < batchMax) continue;
    yield batch;
    batch = [];
  }
  if (end !== undefined) batch.push(end);
  if (batch.length > 0) yield batch;
}

function seen(changes: readonly CacheEvent[], matches: CacheWatchOptions['matches']): ServedEvent[] {
  const events: ServedEvent[] = [];
  for (const change of changes) {
    const event = change.seenBy(matches);
    if (event !== undefined) events.push(event);
  }
  return events;
}

function* inBatches(events: readonly ServedEvent[], batchMax: number): Iterable<readonly ServedEvent[]> {
  for (let at = 0; at < events.length; at += batchMax) yield events.slice(at, at + batchMax);
}

/** The changes after `after` up to `until`, from the store. Watches every key: only so does a batch surely come at `until`. */
async function* historyEvents(
  cache: ResourceCache,
  { matches }: CacheWatchOptions,
  after: number,
  until: number,
  signal: AbortSignal,
): AsyncIterable<readonly ServedEvent[]> {
  const { store } = cache.feed;
  for await (const { events, revision } of store.watch({ start: '\u0000', end: '\uffff', fromRevision: after + 1 }, signal)) {
    const own = events.filter((event) => event.key.startsWith(cache.prefix) && event.revision <= until);
    const batch = seen(
      own.map((event) => historyChange(cache, event)),
      matches,
    );
    if (batch.length > 0) yield batch;
    if (revision >= until) return;
  }
}

function historyChange(cache: ResourceCache, { type, entry, previous, revision }: StoreEvent): CacheEvent {
  const old = (value: KeyValue): CachedEntry => new CachedEntry(value.key, value.modRevision, value.value, cache.policy);
  if (type === 'delete') return new CacheEvent(revision, undefined, old(entry));
  return new CacheEvent(revision, cache.entryOf(entry), previous === undefined ? undefined : old(previous));
}
