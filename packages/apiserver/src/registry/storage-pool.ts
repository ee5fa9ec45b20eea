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
  readonly #byPrefix = new Map<string, { readonly storage: ResourceStorage; users: number }>();

  constructor(options: StoragePoolOptions) {
    this.#options = options;
    this.feed = new StoreFeed(options);
    this.#leases = new LeaseBuckets(options.store, options.clock);
  }

  /** Each call is one user of the storage, until {@link release}. */
  storageOf(definition: ResourceDefinition): ResourceStorage {
    const prefix = prefixOf(definition);
    const known = this.#byPrefix.get(prefix);
    if (known !== undefined) {
      known.users++;
      return known.storage;
    }
    const storage = this.#create(definition.viewOf?.of ?? definition, prefix);
    this.#byPrefix.set(prefix, { storage, users: 1 });
    return storage;
  }

  /** Frees the cache with its last user: its watches end, its objects stay in the store. */
  release(definition: ResourceDefinition): void {
    const prefix = prefixOf(definition);
    const known = this.#byPrefix.get(prefix);
    if (known === undefined || --known.users > 0) return;
    this.#byPrefix.delete(prefix);
    known.storage.cache.close();
  }

  /** Ends all watches. */
  close(): void {
    this.feed.close();
    for (const { storage } of this.#byPrefix.values()) storage.cache.close();
  }

  #create(stored: ResourceDefinition, prefix: string): ResourceStorage {
    const { clock, freeze } = this.#options;
    const indexes = indexesOf(stored, prefix);
    const cache = new ResourceCache({ feed: this.feed, clock, prefix, namespaced: stored.namespaced, indexes, freeze });
    return new ResourceStorage(cache, this.#leases, stored.ttlSeconds);
  }
}

function prefixOf(definition: ResourceDefinition): string {
  const { storagePrefix, resource } = definition.viewOf?.of ?? definition;
  return `/registry/${storagePrefix ?? resource}/`;
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
