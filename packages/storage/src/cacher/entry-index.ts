import type { CachedEntry } from './cached-entry.ts';
import type { IndexValue } from './watcher-index.ts';

/** The cached entries by one value of theirs, as pods by node. Built when first asked for, kept from then on. */
export class EntryIndex {
  readonly #read: IndexValue;
  readonly #byValue = new Map<string, Map<string, CachedEntry>>();

  constructor(read: IndexValue, entries: Iterable<CachedEntry>) {
    this.#read = read;
    for (const entry of entries) this.#add(entry);
  }

  /** Unordered. */
  get(value: string): Iterable<CachedEntry> {
    return this.#byValue.get(value)?.values() ?? [];
  }

  change(previous: CachedEntry | undefined, entry: CachedEntry | undefined): void {
    if (previous !== undefined) this.#remove(previous);
    if (entry !== undefined) this.#add(entry);
  }

  #add(entry: CachedEntry): void {
    const value = this.#read(entry);
    const same = this.#byValue.get(value);
    if (same === undefined) this.#byValue.set(value, new Map([[entry.key, entry]]));
    else same.set(entry.key, entry);
  }

  #remove(entry: CachedEntry): void {
    const value = this.#read(entry);
    const same = this.#byValue.get(value);
    same?.delete(entry.key);
    if (same?.size === 0) this.#byValue.delete(value);
  }
}
