import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countCommon,
  countIndexes,
  firstFree,
  hasIndex,
  type Intervals,
  mergeIntervals,
  parseIntervals,
  printIntervals,
  withIndexes,
} from './index-intervals.ts';

describe('text', () => {
  test.each([
    ['', 10, ''],
    ['3', 10, '3'],
    ['0,2-4', 10, '0,2-4'],
    ['0,1', 10, '0,1'],
    ['0-2', 10, '0-2'],
    ['1,2,3', 10, '1-3'],
    ['1-5', 4, '1-3'],
    ['1,7', 4, '1'],
    ['1,x,3', 10, '1,3'],
  ])('%j of %i completions is read as %j', (text, completions, printed) => {
    expect(printIntervals(parseIntervals(text, completions))).toBe(printed);
  });
});

const indexes = fc.uniqueArray(fc.integer({ min: 0, max: 60 }));
const setOf = (intervals: Intervals): number[] =>
  intervals.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
const sorted = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);

describe('sets', () => {
  test('hold what was put in, and survive printing', () => {
    fc.assert(
      fc.property(indexes, indexes, (some, more) => {
        const set = withIndexes(withIndexes([], some), more);
        const all = new Set([...some, ...more]);
        expect(setOf(set)).toEqual(sorted(all));
        expect(countIndexes(set)).toBe(all.size);
        expect(parseIntervals(printIntervals(set), 1000)).toEqual(set);
        for (let index = 0; index <= 61; index += 1) expect(hasIndex(set, index)).toBe(all.has(index));
        expect(mergeIntervals(withIndexes([], some), withIndexes([], more))).toEqual(set);
      }),
    );
  });
  test('count what they share', () => {
    fc.assert(
      fc.property(indexes, indexes, (some, more) => {
        expect(countCommon(withIndexes([], some), withIndexes([], more))).toBe(some.filter((index) => more.includes(index)).length);
      }),
    );
  });
  test('tell the lowest free indexes', () => {
    fc.assert(
      fc.property(indexes, fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 40 }), (taken, count, completions) => {
        const free = Array.from({ length: completions }, (_, index) => index).filter((index) => !taken.includes(index));
        expect(firstFree(withIndexes([], taken), count, completions)).toEqual(free.slice(0, count));
      }),
    );
  });
});
