import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '@orrery/base';
import { openLmdbStore } from './engines/lmdb/lmdb-store.ts';
import { prefixEnd, type Store } from './store.ts';

const prefix = '/registry/pods/default/';
const value = new Uint8Array(1024).fill(120);
const nowMs = (): number => realClock.monotonicMs();

async function withDirectory<T>(fn: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-bench-store-'));
  try {
    return await fn(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const withStore = <T>(fn: (store: Store) => Promise<T>): Promise<T> =>
  withDirectory(async (directory) => {
    const store = await openLmdbStore({ directory, clock: realClock });
    try {
      return await fn(store);
    } finally {
      await store.close();
    }
  });

export interface DurableWritesOptions {
  /** Writers, each of which waits for its own write. */
  readonly inFlight: number;
  readonly seconds: number;
}

/** Acknowledged transactions a second: each creates a key of its own with 1 KB, as the API server does. */
export const durableWrites = ({ inFlight, seconds }: DurableWritesOptions): Promise<number> =>
  withStore(async (store) => {
    const end = nowMs() + seconds * 1000;
    let writes = 0;
    const writer = async (): Promise<void> => {
      while (nowMs() < end) {
        writes += 1;
        const key = `${prefix}pod-${writes}`;
        await store.transact([{ key, modRevision: 0 }], [{ type: 'put', key, value }]);
      }
    };
    const started = nowMs();
    await Promise.all(Array.from({ length: inFlight }, writer));
    return writes / ((nowMs() - started) / 1000);
  });

/** Milliseconds of the median of `rounds` ranges over `entries` entries of 1 KB: the newest, and at an old revision. */
export const rangeMs = (options: { readonly entries: number; readonly rounds: number }): Promise<{ newest: number; old: number }> =>
  withStore(async (store) => {
    for (let first = 0; first < options.entries; first += 500) {
      const keys = Array.from({ length: Math.min(500, options.entries - first) }, (_, index) => `${prefix}pod-${first + index}`);
      await Promise.all(keys.map((key) => store.transact([], [{ type: 'put', key, value }])));
    }
    const revision = store.revision;
    await store.transact([], [{ type: 'put', key: `${prefix}pod-0`, value }]);
    const median = async (at: number): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < options.rounds; round += 1) {
        const started = nowMs();
        await store.range({ start: prefix, end: prefixEnd(prefix), revision: at });
        times.push(nowMs() - started);
      }
      return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
    };
    return { newest: await median(0), old: await median(revision) };
  });

/** Milliseconds from the call to an open, empty store in a new directory. The first call also loads the engine. */
export const openEmptyMs = (): Promise<number> =>
  withDirectory(async (directory) => {
    const started = nowMs();
    const store = await openLmdbStore({ directory: join(directory, 'store'), clock: realClock });
    const openMs = nowMs() - started;
    await store.close();
    return openMs;
  });
