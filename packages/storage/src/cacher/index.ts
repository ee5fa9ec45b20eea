export { type CacheWatchOptions, watchCache } from './cache-watch.ts';
export { CachedEntry } from './cached-entry.ts';
export type { PendingWrite } from './pending-write.ts';
export { ResourceCache, type ResourceCacheOptions } from './resource-cache.ts';
export { CacheEvent, ServedEvent, type ServedItem } from './served-event.ts';
export { firstAtLeast, type Slot } from './sorted-slots.ts';
export { StoreFeed, type StoreFeedOptions } from './store-feed.ts';
export type { IndexValue, WatchTrigger } from './watcher-index.ts';
