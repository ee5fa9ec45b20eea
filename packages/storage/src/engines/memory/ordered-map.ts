import { compareKeys } from '../../mvcc/key-order.ts';

/** Entries of one chunk before it is split in two. */
const chunkEntriesMax = 256;

interface Chunk<T> {
  readonly keys: string[]; // Ascending, never empty unless it is the only chunk.
  readonly values: T[]; // Parallel to `keys`.
}

/** A map in key order (by UTF-8 bytes): a list of short sorted chunks, so that inserting moves little. */
export interface OrderedMap<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
  /** Entries of [start, end) in order. The map must not change meanwhile. */
  entries(start: string, end: string): Iterable<readonly [string, T]>;
}

/** First index in `keys` that is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(keys[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function newOrderedMap<T>(): OrderedMap<T> {
  const byKey = new Map<string, T>();
  const chunks: Chunk<T>[] = [{ keys: [], values: [] }]; // In order; at least one.

  /** The last chunk whose first key is not after `key`, or the first. */
  const chunkIndex = (key: string): number => {
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (compareKeys(chunkAt(middle).keys[0] as string, key) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const chunkAt = (index: number): Chunk<T> => chunks[index] as Chunk<T>;

  const split = (index: number): void => {
    const chunk = chunkAt(index);
    const middle = chunk.keys.length >> 1;
    chunks.splice(index + 1, 0, { keys: chunk.keys.splice(middle), values: chunk.values.splice(middle) });
  };

  return {
    get: (key) => byKey.get(key),
    set(key, value) {
      const isNew = !byKey.has(key);
      byKey.set(key, value);
      const index = chunkIndex(key);
      const chunk = chunkAt(index);
      const at = lowerBound(chunk.keys, key);
      if (!isNew) {
        chunk.values[at] = value;
        return;
      }
      chunk.keys.splice(at, 0, key);
      chunk.values.splice(at, 0, value);
      if (chunk.keys.length > chunkEntriesMax) split(index);
    },
    delete(key) {
      if (!byKey.delete(key)) return;
      const index = chunkIndex(key);
      const chunk = chunkAt(index);
      const at = lowerBound(chunk.keys, key);
      chunk.keys.splice(at, 1);
      chunk.values.splice(at, 1);
      if (chunk.keys.length === 0 && chunks.length > 1) chunks.splice(index, 1);
    },
    *entries(start, end) {
      for (let index = chunkIndex(start); index < chunks.length; index += 1) {
        const { keys, values } = chunkAt(index);
        for (let at = lowerBound(keys, start); at < keys.length; at += 1) {
          const key = keys[at] as string;
          if (compareKeys(key, end) >= 0) return;
          yield [key, values[at] as T];
        }
      }
    },
  };
}
