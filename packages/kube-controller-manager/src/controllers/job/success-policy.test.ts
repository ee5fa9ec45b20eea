import type { SuccessPolicyRule } from '@orrery/api/batch/v1';
import { expect, test } from 'vitest';
import { parseIntervals } from './index-intervals.ts';
import { metSuccessRule } from './success-policy.ts';

const cases: readonly (readonly [string, readonly SuccessPolicyRule[], string, string | undefined])[] = [
  ['nothing has succeeded', [{ succeededCount: 0 }], '', undefined],
  ['too few', [{ succeededCount: 3 }], '0-1', undefined],
  ['enough of any', [{ succeededCount: 2 }], '0,4', 'Matched rules at index 0'],
  ['all that are named', [{ succeededIndexes: '0,2' }], '0-3', 'Matched rules at index 0'],
  ['not all that are named', [{ succeededIndexes: '0,5' }], '0-3', undefined],
  ['enough of those that are named', [{ succeededIndexes: '0,5,7', succeededCount: 2 }], '0,5', 'Matched rules at index 0'],
  ['too few of those that are named', [{ succeededIndexes: '0,5,7', succeededCount: 2 }], '0-4', undefined],
  ['the second rule', [{ succeededIndexes: '9' }, { succeededCount: 1 }], '0', 'Matched rules at index 1'],
  ['indexes that the job does not have', [{ succeededIndexes: '50' }], '0', undefined],
];

test.each(cases)('%s', (_, rules, succeeded, message) => {
  expect(metSuccessRule({ rules }, 10, parseIntervals(succeeded, 10))).toBe(message);
});
test('no policy', () => expect(metSuccessRule(undefined, 10, parseIntervals('0-9', 10))).toBeUndefined());
