import { describe, expect, test } from 'vitest';
import { intOrPercent } from './int-or-percent.ts';

describe('intOrPercent', () => {
  const cases = [
    [3, 10, false, 3],
    ['25%', 10, false, 2],
    ['25%', 10, true, 3],
    ['0%', 10, true, 0],
    ['200%', 10, true, 20],
    ['-10%', 10, false, -1],
  ] as const;
  for (const [value, total, roundUp, want] of cases) {
    test(`${value} of ${total}, ${roundUp ? 'up' : 'down'}`, () => expect(intOrPercent(value, total, { roundUp })).toBe(want));
  }

  const bad = [
    [undefined, 'nil value for IntOrString'],
    ['5', 'invalid value for IntOrString: invalid type: string is not a percentage'],
    ['a%', 'invalid value for IntOrString: invalid value "a%": strconv.Atoi: parsing "a": invalid syntax'],
    ['99999999999999999999%', 'value out of range'],
  ] as const;
  for (const [value, message] of bad)
    test(`refuses ${value}`, () => expect(() => intOrPercent(value, 1, { roundUp: true })).toThrow(message));
});
