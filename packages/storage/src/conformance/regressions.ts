import { describe, expect, test } from 'vitest';
import { brief, contents, del, eventsUntil, everything, put, text, write } from './harness.ts';
import { resumeWatch } from './resume-watch.ts';
import type { SuiteContext } from './suite.ts';

/** Bugs that stores are known for, and those that were found here, each by its name. */
export function describeRegressions(context: SuiteContext): void {
  describe('known bugs', () => {
    test('a watch that loses an event between its commit and its publication', () =>
      resumeWatch(context.harness, [['a'], ['a'], ['a']], [1, 2]));

    test('a watch that loses or repeats an event across a compaction', async () => {
      const controller = new AbortController();
      const seen: string[] = [];
      const watching = (async () => {
        for await (const batch of context.store.watch({ ...everything, fromRevision: 2 }, controller.signal)) {
          seen.push(...batch.events.map((event) => `${event.key}@${event.revision}`));
          if (batch.revision >= 201) break;
        }
      })();
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(Array.from({ length: 20 }, (_, index) => write(context.store, put(`k${index % 3}`, `${round}`))));
        await eventsUntil(context.store, { fromRevision: context.store.revision }, context.store.revision); // Lets the watcher come along.
        await context.store.compact(context.store.revision - 5);
      }
      await watching;
      expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => `k${(index % 20) % 3}@${index + 2}`));
    });

    test('a watch that loses or repeats an event across a reconnect', async () => {
      for (let round = 0; round < 6; round += 1)
        await write(context.store, put('a', `${round}`), round % 2 === 0 ? put('b', '1') : del('b'));
      const before = await eventsUntil(context.store, {}, 4);
      const store = (await context.reopen()) ?? context.store;
      const after = await eventsUntil(store, { fromRevision: 5 }, 7);
      expect([...before, ...after]).toEqual(await eventsUntil(store, {}, 7));
      expect(after.map(brief)).toEqual(['put a@5', 'delete b@5', 'put a@6', 'put b@6', 'put a@7', 'delete b@7']);
    });

    test('a deletion that a compaction at its own revision swallows', async () => {
      await write(context.store, put('a', '1'));
      await write(context.store, del('a'));
      await context.store.compact(3);
      expect(await contents(context.store, 3)).toEqual([]);
      expect((await eventsUntil(context.store, { fromRevision: 3 }, 3)).map(brief)).toEqual(['delete a@3']);
    });

    test('a key that comes back after the compaction of its deletion', async () => {
      await write(context.store, put('a', '1'));
      await write(context.store, del('a'));
      await write(context.store, put('b', '1'));
      await context.store.compact(4);
      await write(context.store, put('a', '2'));
      await write(context.store, put('c', '1'));
      await context.store.compact(6);
      expect((await contents(context.store)).map((entry) => `${entry.key}@${entry.createRevision}`)).toEqual(['a@5', 'b@4', 'c@6']);
      expect((await contents(context.store, 6)).map((entry) => entry.key)).toEqual(['a', 'b', 'c']);
    });

    test('a revision that goes back, or is given twice, after a restart', async () => {
      await write(context.store, put('a', '1'));
      await write(context.store, del('a')); // Nothing that exists has the newest revision.
      await context.store.compact(3);
      const store = (await context.reopen()) ?? context.store;
      expect(store.revision).toBe(3);
      expect(await write(store, put('a', '2'))).toBe(4);
    });

    test('a stale read: after an acknowledgement, every reader sees the write', async () => {
      for (let round = 0; round < 100; round += 1) {
        const revision = await write(context.store, put('a', `${round}`));
        const [entry, range] = await Promise.all([context.store.get('a'), context.store.range(everything)]);
        expect([text(entry?.value), entry?.modRevision, range.revision, range.entries[0]?.modRevision]).toEqual([
          `${round}`,
          revision,
          revision,
          revision,
        ]);
      }
    });

    test('a compare that is decided on a stale state', async () => {
      await write(context.store, put('a', '0'));
      const swap = (value: string) => context.store.transact([{ key: 'a', modRevision: 2 }], [put('a', value)]);
      const results = await Promise.all([swap('1'), swap('2'), swap('3')]);
      expect(results.map((result) => result.succeeded)).toEqual([true, false, false]);
    });
  });
}
