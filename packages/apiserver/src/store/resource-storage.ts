import type { KubeObject } from '@orrery/apimachinery';
import { type CachedEntry, type ResourceCache, StorageError, type Store, type WriteOp } from '@orrery/storage';
import type { LeaseBuckets } from './lease-buckets.ts';

export type WriteOutcome =
  | { readonly written: true; readonly entry: CachedEntry }
  /** Somebody else was first: `current` is what they left. */
  | { readonly written: false; readonly current: CachedEntry | undefined };

export type DeleteOutcome =
  | { readonly deleted: true; readonly revision: number }
  | { readonly deleted: false; readonly current: CachedEntry | undefined };

/** The objects of one resource at rest: `/registry/<prefix>/<namespace>/<name>`, JSON without resourceVersion, as upstream keeps them. */
export class ResourceStorage {
  readonly cache: ResourceCache;
  readonly #store: Store;
  readonly #leases: LeaseBuckets;
  readonly #ttlSeconds: number | undefined;

  constructor(cache: ResourceCache, leases: LeaseBuckets, ttlSeconds: number | undefined) {
    this.cache = cache;
    this.#store = cache.feed.store;
    this.#leases = leases;
    this.#ttlSeconds = ttlSeconds;
  }

  /** @param namespace - Absent or empty for cluster-scoped objects. */
  keyOf(namespace: string | undefined, name: string): string {
    return namespace === undefined || namespace === '' ? this.cache.prefix + name : `${this.cache.prefix}${namespace}/${name}`;
  }

  /** Waits until the cache has every write that was acknowledged before this call. Undefined when it has them now. */
  fresh(): Promise<void> | undefined {
    const { cache } = this;
    const ready = cache.ready();
    if (ready === undefined && cache.feed.revision >= this.#store.revision) return undefined;
    return this.#catchUp(ready);
  }

  /** The object as of now, or later. */
  async current(key: string): Promise<CachedEntry | undefined> {
    const waiting = this.fresh();
    if (waiting !== undefined) await waiting;
    return this.cache.get(key);
  }

  /**
   * Puts `object` in the place of `expected` (undefined: in an empty place). Serialises once.
   * @param object - Without resourceVersion, kind and apiVersion and metadata first; given away.
   */
  async put(key: string, expected: CachedEntry | undefined, object: KubeObject): Promise<WriteOutcome> {
    const bytes = Buffer.from(JSON.stringify(object));
    const op: WriteOp = { type: 'put', key, value: bytes, ...(await this.#lease()) };
    const write = this.cache.announce(key, bytes, object);
    try {
      const result = await this.#store.transact([{ key, modRevision: expected?.revision ?? 0 }], [op]);
      if (result.succeeded) return { written: true, entry: write.settle(result.revision) };
      this.cache.forget(write);
      const [current] = result.current;
      return { written: false, current: current === undefined ? undefined : this.cache.entryOf(current) };
    } catch (error) {
      this.cache.forget(write);
      throw error;
    }
  }

  async delete(key: string, expected: CachedEntry): Promise<DeleteOutcome> {
    const result = await this.#store.transact([{ key, modRevision: expected.revision }], [{ type: 'delete', key }]);
    if (result.succeeded) return { deleted: true, revision: result.revision };
    const [current] = result.current;
    return { deleted: false, current: current === undefined ? undefined : this.cache.entryOf(current) };
  }

  async #catchUp(ready: Promise<void> | undefined): Promise<void> {
    const wanted = this.#store.revision;
    if (ready !== undefined) await ready;
    if (!(await this.cache.feed.reached(wanted))) throw new StorageError('Closed', 'the store is closed');
  }

  async #lease(): Promise<{ readonly lease?: number }> {
    return this.#ttlSeconds === undefined ? {} : { lease: await this.#leases.leaseFor(this.#ttlSeconds) };
  }
}
