import { expect, test } from 'vitest';
import { firstOfMany } from './first-of-many.ts';

const cases = [
  { name: 'neither', one: undefined, many: undefined, wanted: undefined },
  { name: 'the single one alone', one: 'a', many: undefined, wanted: { one: 'a', many: ['a'] } },
  { name: 'the list alone', one: '', many: ['a', 'b'], wanted: { one: 'a', many: ['a', 'b'] } },
  { name: 'both, alike', one: 'a', many: ['a', 'b'], wanted: { one: 'a', many: ['a', 'b'] } },
  { name: 'both, unlike', one: 'c', many: ['a', 'b'], wanted: { one: 'c', many: ['c'] } },
];
test.each(cases)('$name', ({ one, many, wanted }) => {
  const same = (text: string): string => text;
  expect(firstOfMany(one, many, same, same)).toEqual(wanted);
});
