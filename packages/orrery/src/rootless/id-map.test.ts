import { describe, expect, test } from 'vitest';
import { grantedRanges, idMap, mapWords } from './id-map.ts';

describe('ids of a user namespace', () => {
  const file = 'ann:100000:65536\n1001:300000:10\n# none\nbob:1:x\nbob:200000:65536\nann:500000:0\n';

  test.each([
    [['ann', '1000'], [{ outside: 100000, count: 65536 }]],
    [['eve', '1001'], [{ outside: 300000, count: 10 }]],
    [['bob', '1002'], [{ outside: 200000, count: 65536 }]],
    [['nobody', '65534'], []],
  ])('%j is given its own lines', (names, ranges) => {
    expect(grantedRanges(file, names)).toEqual(ranges);
  });

  test('the user is 0 inside, the given ids follow without a gap', () => {
    const map = idMap(1000, [
      { outside: 100000, count: 10 },
      { outside: 500000, count: 5 },
    ]);
    expect(mapWords(map).join(' ')).toBe('0 1000 1 1 100000 10 11 500000 5');
  });

  test('a user without given ids is alone', () => {
    expect(mapWords(idMap(1000, []))).toEqual(['0', '1000', '1']);
  });
});
