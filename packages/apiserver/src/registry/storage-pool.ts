import type { Clock } from '@orrery/base';
import { type IndexValue, ResourceCache, type Store, StoreFeed } from '@orrery/storage';
import type { ResourceDefinition } from '../definition.ts';
import { LeaseBuckets } from '../store/lease-buckets.ts';
import { ResourceStorage } from '../store/resource-storage.ts';

export interface StoragePoolOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly freeze: boolean;
  readonly onError: (error: unknown) => void;
}

/** The caches of all resources over one store. Versions and views of a resource share one. */
export class StoragePool {
  readonly feed: StoreFeed;
  readonly #options: StoragePoolOptions;
  readonly #leases: LeaseBuckets;
  readonly #byPrefix = new Map<string, ResourceStorage>();

  constructor(options: StoragePoolOptions) {
    this.#options = options;
    this.feed = new StoreFeed(options);
    this.#leases = new LeaseBuckets(options.store, options.clock);
  }

  storageOf(definition: ResourceDefinition): ResourceStorage {
    const stored = definition.viewOf?.of ?? definition;
    const prefix = `/registry/${stored.storagePrefix ?? stored.resource}/`;
    const known = this.#byPrefix.get(prefix);
    if (known !== undefined) return known;
    const { clock, freeze } = this.#options;
    const indexes = indexesOf(stored, prefix);
    const cache = new ResourceCache({ feed: this.feed, clock, prefix, namespaced: stored.namespaced, indexes, freeze });
    const storage = new ResourceStorage(cache, this.#leases, stored.ttlSeconds);
    this.#byPrefix.set(prefix, storage);
    return storage;
  }

  /** Ends all watches. */
  close(): void {
    this.feed.close();
    for (const { cache } of this.#byPrefix.values()) cache.close();
  }
}

/** Name, namespace, and the fields that the definition declares. */
function indexesOf({ selectableFields = {} }: ResourceDefinition, prefix: string): Record<string, IndexValue> {
  const indexes: Record<string, IndexValue> = {
    'metadata.name': ({ key }) => key.slice(key.lastIndexOf('/') + 1),
    'metadata.namespace': ({ key }) => key.slice(prefix.length, Math.max(prefix.length, key.lastIndexOf('/'))),
  };
  for (const [field, read] of Object.entries(selectableFields)) indexes[field] = ({ object }) => read(object);
  return indexes;
}
