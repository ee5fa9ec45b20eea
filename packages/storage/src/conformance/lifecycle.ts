import { describe, expect, test } from 'vitest';
import { contents, del, eventsUntil, everything, put, write } from './harness.ts';
import type { SuiteContext } from './suite.ts';

export function describeLifecycle(context: SuiteContext): void {
  describe('closing', () => {
    test('waits for writes in flight', async () => {
      const writes = Array.from({ length: 20 }, (_, index) => write(context.store, put(`k${index}`, '1')));
      await context.store.close();
      await context.store.close();
      expect(await Promise.all(writes)).toHaveLength(20);
    });

    test('afterwards everything is Closed', async () => {
      const { store } = context;
      const closed = { code: 'Closed' };
      const waiting = expect(eventsUntil(store, {}, 2)).rejects.toMatchObject(closed);
      const lease = await store.grantLease(1);
      await store.close();
      await waiting;
      await expect(store.get('a')).rejects.toMatchObject(closed);
      await expect(store.range(everything)).rejects.toMatchObject(closed);
      await expect(store.transact([], [put('a', '1')])).rejects.toMatchObject(closed);
      await expect(eventsUntil(store, {}, 2)).rejects.toMatchObject(closed);
      await expect(store.compact(1)).rejects.toMatchObject(closed);
      await expect(store.grantLease(1)).rejects.toMatchObject(closed);
      await expect(store.keepAlive(lease)).rejects.toMatchObject(closed);
      await expect(store.revokeLease(lease)).rejects.toMatchObject(closed);
      await context.clock.advance(5000); // The lease's timer is gone.
    });
  });

  describe('reopening', () => {
    test('finds everything as it was: entries, history, compaction, revision', async () => {
      for (let round = 0; round < 20; round += 1)
        await write(context.store, round % 6 === 5 ? del('a') : put('a', `${round}`), put('b', `${round}`));
      await context.store.compact(10);
      const before = {
        contents: await Promise.all([10, 15, 21].map((revision) => contents(context.store, revision))),
        events: await eventsUntil(context.store, { fromRevision: 11 }, 21),
      };
      const store = await context.reopen();
      if (store === undefined) return;
      expect([store.revision, store.compactedRevision]).toEqual([21, 10]);
      expect(await Promise.all([10, 15, 21].map((revision) => contents(store, revision)))).toEqual(before.contents);
      expect(await eventsUntil(store, { fromRevision: 11 }, 21)).toEqual(before.events);
      await expect(store.get('a', 9)).rejects.toMatchObject({ code: 'Compacted' });
      expect(await write(store, put('a', 'new'))).toBe(22);
    });

    test('a reopened store that was empty is empty', async () => {
      const store = await context.reopen();
      if (store === undefined) return;
      expect([store.revision, store.compactedRevision, await contents(store)]).toEqual([1, 0, []]);
    });
  });
}
