import { describe, expect, test } from 'vitest';
import { contents, del, eventsUntil, put, write } from './harness.ts';
import type { SuiteContext } from './suite.ts';

export function describeCompaction(context: SuiteContext): void {
  describe('compaction', () => {
    test('what is below is Compacted; the revision itself and everything above read as before', async () => {
      await write(context.store, put('a', '1'), put('b', '1'), put('gone', '1'));
      await write(context.store, put('a', '2'), del('gone'));
      await write(context.store, put('a', '3'), del('b'));
      await write(context.store, put('b', '2'));
      const before = await Promise.all([3, 4, 5].map((revision) => contents(context.store, revision)));
      await context.store.compact(3);
      expect(context.store.compactedRevision).toBe(3);
      expect(await Promise.all([3, 4, 5].map((revision) => contents(context.store, revision)))).toEqual(before);
      await expect(context.store.get('a', 2)).rejects.toMatchObject({ code: 'Compacted' });
      await expect(contents(context.store, 1)).rejects.toMatchObject({ code: 'Compacted' });
    });

    test('does not change the revision', async () => {
      await write(context.store, put('a', '1'));
      await context.store.compact(2);
      expect(context.store.revision).toBe(2);
      expect(await write(context.store, put('a', '2'))).toBe(3);
    });

    test('events from the compaction on are still told', async () => {
      for (let round = 0; round < 10; round += 1) await write(context.store, round % 4 === 3 ? del('a') : put('a', `${round}`));
      const before = await eventsUntil(context.store, { fromRevision: 7 }, 11);
      await context.store.compact(6);
      expect(await eventsUntil(context.store, { fromRevision: 7 }, 11)).toEqual(before);
    });

    test('an older one, and the same again, are Compacted; a future one is FutureRevision', async () => {
      for (let round = 0; round < 4; round += 1) await write(context.store, put('a', `${round}`));
      await context.store.compact(4);
      await expect(context.store.compact(4)).rejects.toMatchObject({ code: 'Compacted' });
      await expect(context.store.compact(3)).rejects.toMatchObject({ code: 'Compacted' });
      await expect(context.store.compact(6)).rejects.toMatchObject({ code: 'FutureRevision' });
      expect(context.store.compactedRevision).toBe(4);
    });

    test('a long history is forgotten while writes go on', async () => {
      const rewrite = (round: number) => write(context.store, put(`k${round % 20}`, `${round}`), put('hot', `${round}`));
      await Promise.all(Array.from({ length: 3000 }, (_, round) => rewrite(round)));
      const compacting = context.store.compact(2900);
      const meanwhile = Array.from({ length: 100 }, (_, round) => rewrite(round));
      await Promise.all([compacting, ...meanwhile]);
      expect(await contents(context.store)).toHaveLength(21);
      expect((await contents(context.store, 2900)).find((entry) => entry.key === 'hot')).toMatchObject({
        value: '2898',
        modRevision: 2900,
      });
    });
  });
}
