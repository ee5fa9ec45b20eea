import { describe, expect, test } from 'vitest';
import { bytes, contents, del, eventsUntil, everything, plainEntry, put, text, write } from './harness.ts';
import type { SuiteContext } from './suite.ts';

export function describeTransactions(context: SuiteContext): void {
  describeDecisions(context);
  describeOrder(context);
  describeLimits(context);
}

function describeDecisions(context: SuiteContext): void {
  describe('transactions', () => {
    test('an empty store has revision 1 and nothing in it', async () => {
      expect(context.store.revision).toBe(1);
      expect(context.store.compactedRevision).toBe(0);
      expect(await context.store.range(everything)).toEqual({ entries: [], count: 0, revision: 1 });
      expect(await context.store.get('a')).toBeUndefined();
    });

    test('each writing transaction raises the revision by one, and all its writes have it', async () => {
      expect(await write(context.store, put('a', '1'), put('b', '1'))).toBe(2);
      expect(await write(context.store, put('a', '2'))).toBe(3);
      expect(await contents(context.store)).toEqual([
        { key: 'a', value: '2', createRevision: 2, modRevision: 3, lease: 0 },
        { key: 'b', value: '1', createRevision: 2, modRevision: 2, lease: 0 },
      ]);
    });

    test('a key that is deleted and made again has a new createRevision', async () => {
      await write(context.store, put('a', '1'));
      await write(context.store, del('a'));
      await write(context.store, put('a', '2'));
      expect((await contents(context.store))[0]).toMatchObject({ createRevision: 4, modRevision: 4 });
    });

    test('compare 0 creates once; the loser is told what is there', async () => {
      const create = (value: string) => context.store.transact([{ key: 'a', modRevision: 0 }], [put('a', value)]);
      const [first, second] = await Promise.all([create('first'), create('second')]);
      expect(first).toEqual({ succeeded: true, revision: 2 });
      expect(second).toMatchObject({ succeeded: false, revision: 2 });
      expect(second.succeeded ? '' : text(second.current[0]?.value)).toBe('first');
    });

    test('one compare of several that fails refuses all writes, and tells the state of each', async () => {
      await write(context.store, put('a', '1'));
      const compares = [
        { key: 'a', modRevision: 2 },
        { key: 'b', modRevision: 1 },
      ];
      const result = await context.store.transact(compares, [put('a', '2'), put('c', '1')]);
      expect(result).toMatchObject({ succeeded: false, revision: 2, current: [{ key: 'a', modRevision: 2 }, undefined] });
      expect(context.store.revision).toBe(2);
      expect((await contents(context.store)).map((entry) => entry.value)).toEqual(['1']);
    });

    test('a key that never existed is at 0, and so is a deleted one', async () => {
      await write(context.store, put('a', '1'));
      await write(context.store, del('a'));
      const result = await context.store.transact([{ key: 'a', modRevision: 0 }], [put('a', '2')]);
      expect(result).toEqual({ succeeded: true, revision: 4 });
    });
  });
}

function describeOrder(context: SuiteContext): void {
  describe('transactions, in their order', () => {
    test('deleting what is not there is no write', async () => {
      expect(await context.store.transact([], [del('a')])).toEqual({ succeeded: true, revision: 1 });
      await write(context.store, put('a', '1'));
      expect(await context.store.transact([], [del('a'), del('b')])).toEqual({ succeeded: true, revision: 3 });
      expect((await eventsUntil(context.store, {}, 3)).map((event) => event.key)).toEqual(['a', 'a']);
    });

    test('calls are serialised in their order, also while they are in flight', async () => {
      const results = await Promise.all(
        Array.from({ length: 200 }, (_, index) => context.store.transact([], [put(`k${index % 7}`, `${index}`)])),
      );
      expect(results.map((result) => result.revision)).toEqual(results.map((_, index) => index + 2));
      expect(text((await context.store.get('k3'))?.value)).toBe('199');
    });

    test('counting up by compare loses no step', async () => {
      const increment = async (): Promise<void> => {
        for (;;) {
          const current = await context.store.get('counter');
          const next = `${Number(text(current?.value) ?? 0) + 1}`;
          const result = await context.store.transact([{ key: 'counter', modRevision: current?.modRevision ?? 0 }], [put('counter', next)]);
          if (result.succeeded) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, increment));
      expect(text((await context.store.get('counter'))?.value)).toBe('20');
      expect(context.store.revision).toBe(21);
    });

    test('an acknowledged write is read at once, an unacknowledged one is not seen', async () => {
      const writing = context.store.transact([], [put('a', '1')]);
      const seen = await context.store.get('a');
      if (seen !== undefined) expect(context.store.revision).toBe(2); // Seen only when it is durable.
      await writing;
      expect(text((await context.store.get('a'))?.value)).toBe('1');
    });
  });
}

function describeLimits(context: SuiteContext): void {
  describe('keys and values', () => {
    test('values are bytes: empty, binary and large ones come back as they were', async () => {
      const values = [new Uint8Array(), Uint8Array.from({ length: 256 }, (_, index) => index), new Uint8Array(1_000_000).fill(7)];
      for (const [index, value] of values.entries()) await context.store.transact([], [{ type: 'put', key: `v${index}`, value }]);
      for (const [index, value] of values.entries()) {
        const entry = await context.store.get(`v${index}`);
        expect(Buffer.compare(entry?.value ?? bytes('missing'), value)).toBe(0);
      }
    });

    test.each([
      ['an empty key', ''],
      ['a key past 1,024 bytes', 'é'.repeat(513)],
      ['a key with NUL', 'a\0b'],
      ['a key that is no Unicode', 'a\ud800'],
    ])('%s is TooLarge', async (_, key) => {
      await expect(context.store.transact([], [put(key, '1')])).rejects.toMatchObject({ code: 'TooLarge' });
      expect(context.store.revision).toBe(1);
    });

    test('a transaction past 1.5 MiB is TooLarge, the longest key is not', async () => {
      const large = { type: 'put', key: 'a', value: new Uint8Array(1.5 * 1024 * 1024) } as const;
      await expect(context.store.transact([], [large])).rejects.toMatchObject({ code: 'TooLarge' });
      const key = 'é'.repeat(512);
      await write(context.store, put(key, '1'));
      expect(plainEntry((await context.store.get(key)) as never)).toMatchObject({ key, value: '1' });
      expect((await context.store.range({ start: key, end: `${key}z` })).count).toBe(1);
    });
  });
}
