import { expect, test } from 'vitest';
import { lastGroup } from './last-group.ts';

test.each([
  ['         0          0 4294967295\n', 2_147_483_647],
  ['         0       1000          1\n         1     100000      65536\n', 65_536],
  ['0 1000 1\n', 0],
])('of %j the last group is %d', (map, last) => {
  expect(lastGroup(map)).toBe(last);
});
