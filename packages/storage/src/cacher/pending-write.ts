import type { KubeObject } from '@orrery/apimachinery';
import { CachedEntry, type EntryPolicy } from './cached-entry.ts';
import { asBuffer } from './served-bytes.ts';

/**
 * A write on its way to the store, announced to the cache so that the event that comes back needs no parsing:
 * the writer and every reader share one entry.
 */
export class PendingWrite {
  readonly key: string;
  /** The stored JSON, without resourceVersion. */
  readonly bytes: Uint8Array;
  readonly #object: KubeObject;
  readonly #policy: EntryPolicy;
  #entry: CachedEntry | undefined;

  /** @param object - The same object decoded; given away: nobody changes it any more. */
  constructor(key: string, bytes: Uint8Array, object: KubeObject, policy: EntryPolicy) {
    this.key = key;
    this.bytes = bytes;
    this.#object = object;
    this.#policy = policy;
  }

  /** The entry that this write became. The first caller, writer or cache, makes it. */
  settle(revision: number): CachedEntry {
    if (this.#entry?.revision === revision) return this.#entry;
    const metadata = { ...this.#object.metadata, resourceVersion: String(revision) };
    this.#entry = new CachedEntry(this.key, revision, this.bytes, this.#policy, { ...this.#object, metadata });
    return this.#entry;
  }
}

/** The announced writes of one cache. Bounded by the requests in flight: each is removed by its event or by its writer. */
export class PendingWrites {
  readonly #byKey = new Map<string, PendingWrite[]>();

  add(write: PendingWrite): void {
    const same = this.#byKey.get(write.key);
    if (same === undefined) this.#byKey.set(write.key, [write]);
    else same.push(write);
  }

  /** For a write that the store refused. */
  remove(write: PendingWrite): void {
    const left = this.#byKey.get(write.key)?.filter((other) => other !== write) ?? [];
    if (left.length === 0) this.#byKey.delete(write.key);
    else this.#byKey.set(write.key, left);
  }

  /** The announced write that stored exactly `value`, which is then forgotten. */
  take(key: string, value: Uint8Array): PendingWrite | undefined {
    const same = this.#byKey.get(key);
    const found = same?.find(({ bytes }) => bytes === value || asBuffer(bytes).equals(value));
    if (found !== undefined) this.remove(found);
    return found;
  }

  clear(): void {
    this.#byKey.clear();
  }
}
