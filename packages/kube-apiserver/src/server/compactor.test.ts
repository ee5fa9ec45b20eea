import { newVirtualClock } from '@orrery/base';
import { silentLogger } from '@orrery/component';
import { newMemoryStore, type Store } from '@orrery/storage';
import { expect, test } from 'vitest';
import { startCompactor } from './compactor.ts';

const write = async (store: Store, text: string): Promise<number> => {
  const current = await store.get('/a');
  const result = await store.transact(
    [{ key: '/a', modRevision: current?.modRevision ?? 0 }],
    [{ type: 'put', key: '/a', value: Buffer.from(text) }],
  );
  return result.revision;
};

test('history lives for one interval at least, and for two at most', async () => {
  const clock = newVirtualClock();
  const store = newMemoryStore({ clock });
  const compactor = startCompactor({ store, clock, log: silentLogger, intervalMs: 1000 });
  await write(store, '1');
  await clock.advance(1000);
  const second = await write(store, '2');
  await clock.advance(1000);
  const kept = store.compactedRevision;
  expect(kept).toBeLessThan(second);
  await write(store, '3');
  await clock.advance(1000);
  await clock.advance(0);
  expect(store.compactedRevision).toBe(second);
  await compactor.close();
  await write(store, '4');
  await clock.advance(5000);
  expect(store.compactedRevision).toBe(second);
  await store.close();
});
