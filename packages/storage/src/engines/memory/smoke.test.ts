import { newVirtualClock } from '@orrery/base';
import { expect, test } from 'vitest';
import { newMemoryStore } from './memory-store.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('writes, refuses, watches, compacts', async () => {
  const clock = newVirtualClock();
  const store = newMemoryStore({ clock });
  expect(store.revision).toBe(1);
  expect(await store.transact([{ key: 'a', modRevision: 0 }], [{ type: 'put', key: 'a', value: bytes('1') }])).toEqual({
    succeeded: true,
    revision: 2,
  });
  expect(await store.transact([{ key: 'a', modRevision: 0 }], [{ type: 'put', key: 'a', value: bytes('1') }])).toMatchObject({
    succeeded: false,
  });
  const controller = new AbortController();
  const watching = (async () => {
    const seen: string[] = [];
    for await (const batch of store.watch({ start: 'a', end: 'b', fromRevision: 1 }, controller.signal))
      for (const event of batch.events) seen.push(event.type + event.revision);
    return seen;
  })();
  const lease = await store.grantLease(10);
  await store.transact([], [{ type: 'put', key: 'ab', value: bytes('x'), lease }]);
  await clock.advance(9000);
  expect(store.revision).toBe(3);
  await clock.advance(1000);
  expect(store.revision).toBe(4);
  await store.compact(3);
  await expect(store.get('a', 2)).rejects.toMatchObject({ code: 'Compacted' });
  expect((await store.range({ start: 'a', end: 'b', revision: 3 })).entries.map((e) => e.key)).toEqual(['a', 'ab']);
  await clock.advance(0);
  controller.abort();
  expect(await watching).toEqual(['put2', 'put3', 'delete4']);
  await store.close();
});
