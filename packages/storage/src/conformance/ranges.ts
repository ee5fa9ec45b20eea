import { describe, expect, test } from 'vitest';
import { prefixEnd } from '../store.ts';
import { contents, del, everything, put, write } from './harness.ts';
import type { SuiteContext } from './suite.ts';

const keysOf = (result: { readonly entries: readonly { readonly key: string }[] }): string[] => result.entries.map((entry) => entry.key);

export function describeRanges(context: SuiteContext): void {
  describeBounds(context);
  describeStates(context);
}

function describeBounds(context: SuiteContext): void {
  describe('ranges', () => {
    test('come in the order of UTF-8 bytes, not of UTF-16 units', async () => {
      const keys = ['z', 'a', 'a/b', 'a-', 'é', '\uffee', '\u{1f600}', '\ud7ff', 'aa'];
      await write(context.store, ...keys.map((key) => put(key, '1')));
      const expected = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(keysOf(await context.store.range(everything))).toEqual(expected);
      expect(keysOf(await context.store.range({ ...everything, revision: 2 }))).toEqual(expected);
    });

    test('start is inside, end is not', async () => {
      await write(context.store, put('a', '1'), put('b', '1'), put('c', '1'));
      const range = (start: string, end: string) => context.store.range({ start, end }).then(keysOf);
      expect(await range('a', 'c')).toEqual(['a', 'b']);
      expect(await range('b', 'b')).toEqual([]);
      expect(await range('c', 'a')).toEqual([]);
      expect(await range('', 'b')).toEqual(['a']);
    });

    test.each([0, 3])('a bound may hold a NUL: right after a key (old revisions too: %i)', async (revision) => {
      await write(context.store, put('a', '1'), put('ab', '1'), put('b', '1'));
      await write(context.store, put('a', '2'));
      await write(context.store, put('z', '1'));
      const range = (start: string, end: string) => context.store.range({ start, end, revision }).then(keysOf);
      expect(await range('a\0', 'c')).toEqual(['ab', 'b']);
      expect(await range('a', 'a\0')).toEqual(['a']);
      expect(await range('a\0', 'b\0')).toEqual(['ab', 'b']);
    });

    test.each([0, 2])('bounds longer than any key work (revision %i)', async (revision) => {
      const long = 'x'.repeat(1024);
      await write(context.store, put('a', '1'), put(long, '1'), put('y', '1'));
      await write(context.store, put('z', '1'));
      const range = (start: string, end: string) => context.store.range({ start, end, revision }).then(keysOf);
      expect(await range(`${long}x`, 'y\0')).toEqual(['y']);
      expect(await range('a', `${long}${long}`)).toEqual(['a', long]);
    });
  });
}

function describeStates(context: SuiteContext): void {
  describe('ranges of one state', () => {
    test('limit bounds the entries, count does not', async () => {
      await write(context.store, ...['a', 'b', 'c', 'd'].map((key) => put(key, '1')));
      const result = await context.store.range({ ...everything, limit: 2 });
      expect([keysOf(result), result.count, result.revision]).toEqual([['a', 'b'], 4, 2]);
      expect((await context.store.range({ ...everything, limit: 4 })).count).toBe(4);
      expect((await context.store.range({ ...everything, limit: 5 })).count).toBe(4);
    });

    test('pages at one revision see nothing of what comes later', async () => {
      await write(context.store, ...['a', 'b', 'c', 'd'].map((key) => put(key, '1')));
      await write(context.store, del('c'), put('bb', '1'), put('d', '2'));
      const first = await context.store.range({ ...everything, limit: 2, revision: 2 });
      const second = await context.store.range({ start: 'b\0', end: everything.end, limit: 2, revision: 2 });
      expect([...keysOf(first), ...keysOf(second)]).toEqual(['a', 'b', 'c', 'd']);
      expect([first.count, second.count, first.revision]).toEqual([4, 2, 3]);
      expect(second.entries.map((entry) => entry.modRevision)).toEqual([2, 2]);
    });

    test('every revision can be read as it was', async () => {
      const before: unknown[] = [];
      for (let round = 0; round < 30; round += 1) {
        await write(context.store, put(`k${round % 4}`, `${round}`), round % 3 === 0 ? del(`k${(round + 1) % 4}`) : put('x', `${round}`));
        before.push(await contents(context.store));
      }
      for (const [round, expected] of before.entries()) expect(await contents(context.store, round + 2)).toEqual(expected);
    });

    test('get at a revision', async () => {
      await write(context.store, put('a', '1'));
      await write(context.store, put('a', '2'));
      await write(context.store, del('a'));
      const at = async (revision: number) => (await context.store.get('a', revision))?.modRevision;
      expect([await at(1), await at(2), await at(3), await at(4)]).toEqual([undefined, 2, 3, undefined]);
    });

    test('a future revision is FutureRevision', async () => {
      await expect(context.store.get('a', 2)).rejects.toMatchObject({ code: 'FutureRevision' });
      await expect(context.store.range({ ...everything, revision: 2 })).rejects.toMatchObject({ code: 'FutureRevision' });
    });

    test('a range is one state, whatever is written meanwhile', async () => {
      const writes = Array.from({ length: 100 }, (_, index) => write(context.store, put('a', `${index}`), put('b', `${index}`)));
      for (let round = 0; round < 50; round += 1) {
        const { entries, revision } = await context.store.range(everything);
        expect(new Set(entries.map((entry) => entry.modRevision)).size).toBeLessThanOrEqual(1);
        if (entries[0] !== undefined) expect(entries[0].modRevision).toBe(revision);
      }
      await Promise.all(writes);
    });
  });

  describe('prefixEnd', () => {
    test.each([
      ['a', 'b'],
      ['/registry/pods/', '/registry/pods0'],
      ['a\ud7ff', 'a\ue000'],
      ['a\u{1f600}', 'a\u{1f601}'],
      ['a\u{10ffff}', 'b'],
    ])('of %j is %j', (prefix, end) => expect(prefixEnd(prefix)).toBe(end));
  });
}
