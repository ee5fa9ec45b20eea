import type { KubeObject, NamespacedName, Selector } from '@orrery/apimachinery';
import { keyOf } from '@orrery/apimachinery';
import { assert } from '@orrery/base';
import { type IndexFunction, type Lister, namespaceIndex } from './lister.ts';

/** The place of one key. Indexes point at it, so that a new object with the same index values touches no index at all. */
interface Entry<T> {
  object: T;
}

interface Index<T extends KubeObject> {
  readonly of: IndexFunction<T>;
  /** Invariant: an entry is in exactly the buckets that `of(entry.object)` names; no bucket is empty. */
  readonly buckets: Map<string, Set<Entry<T>>>;
}

/** The objects of an informer by key, with incremental indexes. One writer: the informer. A change costs O(1) per index. */
export class ObjectStore<T extends KubeObject> implements Lister<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #indexes = new Map<string, Index<T>>();
  #snapshot: readonly T[] | undefined; // Invariant: undefined, or what list() would build now.

  constructor() {
    this.addIndex(namespaceIndex, (object) => object.metadata.namespace);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string | NamespacedName): T | undefined {
    return this.#entries.get(typeof key === 'string' ? key : textOf(key))?.object;
  }

  list(): readonly T[] {
    this.#snapshot ??= Array.from(this.#entries.values(), objectOf);
    return this.#snapshot;
  }

  byNamespace(namespace: string): readonly T[] {
    return this.byIndex(namespaceIndex, namespace);
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name);
    assert(index !== undefined, () => `no index "${name}"; it has ${[...this.#indexes.keys()].join(', ')}`);
    const bucket = index.buckets.get(value);
    return bucket === undefined ? [] : Array.from(bucket, objectOf);
  }

  select(selector: Selector, namespace?: string): readonly T[] {
    const candidates = namespace === undefined ? this.list() : this.byNamespace(namespace);
    return selector.everything ? candidates : candidates.filter((object) => selector.matches(object.metadata.labels ?? noLabels));
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** Adds an index over what is held and what comes. Asking again with the same function changes nothing. */
  addIndex(name: string, of: IndexFunction<T>): void {
    const known = this.#indexes.get(name);
    assert(known === undefined || known.of === of, () => `index "${name}" exists with another function`);
    if (known !== undefined) return;
    const index: Index<T> = { of, buckets: new Map() };
    this.#indexes.set(name, index);
    for (const entry of this.#entries.values()) insert(index, entry);
  }

  /** Puts `object` under its key. Returns what stood there. */
  set(key: string, object: T): T | undefined {
    this.#snapshot = undefined;
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const added: Entry<T> = { object };
      this.#entries.set(key, added);
      for (const index of this.#indexes.values()) insert(index, added);
      return undefined;
    }
    const previous = entry.object;
    for (const index of this.#indexes.values()) move(index, entry, object);
    entry.object = object;
    return previous;
  }

  /** Takes `key` out. Returns what stood there. */
  delete(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#snapshot = undefined;
    this.#entries.delete(key);
    for (const index of this.#indexes.values()) remove(index, entry);
    return entry.object;
  }
}

const noLabels: Readonly<Record<string, string>> = Object.freeze({});
const objectOf = <T>(entry: Entry<T>): T => entry.object;
const textOf = (key: NamespacedName): string => keyOf({ metadata: { name: key.name, namespace: key.namespace ?? '' } });

function valuesOf<T extends KubeObject>(index: Index<T>, object: T): readonly string[] {
  const values = index.of(object);
  if (values === undefined) return [];
  return typeof values === 'string' ? [values] : values;
}

function enter<T extends KubeObject>(index: Index<T>, value: string, entry: Entry<T>): void {
  const bucket = index.buckets.get(value);
  if (bucket === undefined) index.buckets.set(value, new Set([entry]));
  else bucket.add(entry);
}

function leave<T extends KubeObject>(index: Index<T>, value: string, entry: Entry<T>): void {
  const bucket = index.buckets.get(value);
  bucket?.delete(entry);
  if (bucket?.size === 0) index.buckets.delete(value);
}

function insert<T extends KubeObject>(index: Index<T>, entry: Entry<T>): void {
  for (const value of valuesOf(index, entry.object)) enter(index, value, entry);
}

function remove<T extends KubeObject>(index: Index<T>, entry: Entry<T>): void {
  for (const value of valuesOf(index, entry.object)) leave(index, value, entry);
}

/** Moves `entry` from the buckets of the object that it holds to those of `next`. */
function move<T extends KubeObject>(index: Index<T>, entry: Entry<T>, next: T): void {
  const from = index.of(entry.object);
  const to = index.of(next);
  if (from === to) return; // The common case: one value, unchanged.
  const before = from === undefined ? [] : typeof from === 'string' ? [from] : from;
  const after = to === undefined ? [] : typeof to === 'string' ? [to] : to;
  for (const value of before) if (!after.includes(value)) leave(index, value, entry);
  for (const value of after) if (!before.includes(value)) enter(index, value, entry);
}
