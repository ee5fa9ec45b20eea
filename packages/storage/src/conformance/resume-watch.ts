import { newVirtualClock } from '@orrery/base';
import { expect } from 'vitest';
import { everything, put, type StoreHarness } from './harness.ts';

/** Writes the bursts; meanwhile one watcher reads them in pieces of so many batches, and resumes after each. */
export async function resumeWatch(harness: StoreHarness, bursts: readonly (readonly string[])[], pieces: readonly number[]): Promise<void> {
  const opened = await harness.open(newVirtualClock());
  const { store } = opened;
  const last = 1 + bursts.flat().length;
  const seen: number[] = [];
  const watchPiece = async (batches: number): Promise<void> => {
    const fromRevision = (seen.at(-1) ?? 1) + 1;
    if (fromRevision > last) return;
    let left = batches;
    for await (const batch of store.watch({ ...everything, fromRevision }, new AbortController().signal)) {
      seen.push(...batch.events.map((event) => event.revision));
      left -= 1;
      if (left <= 0 || batch.revision >= last) break;
    }
  };
  const watching = (async () => {
    for (const batches of pieces) await watchPiece(batches);
    while ((seen.at(-1) ?? 1) < last) await watchPiece(100);
  })();
  try {
    for (const burst of bursts) await Promise.all(burst.map((each, index) => store.transact([], [put(each, `${index}`)])));
    await watching;
    expect(seen).toEqual(Array.from({ length: last - 1 }, (_, index) => index + 2));
  } finally {
    await opened.dispose();
  }
}
