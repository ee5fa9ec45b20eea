import type { Clock } from '@orrery/base';
import type { Store } from '../store.ts';
import type { CachedEntry } from './cached-entry.ts';
import { ResourceCache, type ResourceCacheOptions } from './resource-cache.ts';
import { StoreFeed } from './store-feed.ts';

export const prefix = '/registry/things/';

/** The stored JSON of a thing. */
export const thing = (name: string, label: string): Buffer =>
  Buffer.from(JSON.stringify({ kind: 'Thing', apiVersion: 'v1', metadata: { name, namespace: 'a', labels: { label } } }));

export const labelOf = ({ object }: CachedEntry): string => object.metadata.labels?.['label'] ?? '';

export interface TestCache {
  readonly cache: ResourceCache;
  readonly feed: StoreFeed;
  put(name: string, label: string): Promise<number>;
  remove(name: string): Promise<number>;
  close(): Promise<void>;
}

/** A filled cache of things over `store`, which it closes. */
export async function newTestCache(store: Store, clock: Clock, options: Partial<ResourceCacheOptions> = {}): Promise<TestCache> {
  const feed = new StoreFeed({ store, clock });
  const cache = new ResourceCache({ feed, clock, prefix, namespaced: true, indexes: { label: labelOf }, freeze: true, ...options });
  await cache.ready();
  return {
    cache,
    feed,
    async put(name, label) {
      const { revision } = await store.transact([], [{ type: 'put', key: `${prefix}a/${name}`, value: thing(name, label) }]);
      return revision;
    },
    async remove(name) {
      const { revision } = await store.transact([], [{ type: 'delete', key: `${prefix}a/${name}` }]);
      return revision;
    },
    async close() {
      cache.close();
      feed.close();
      await store.close();
    },
  };
}
