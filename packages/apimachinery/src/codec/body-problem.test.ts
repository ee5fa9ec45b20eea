import { expect, test } from 'vitest';
import { unrecognizedObject } from './body-problem.ts';

test.each([
  ['', '<empty>'],
  ['{"a":', '{"a":'],
  [`{"a":"${'x'.repeat(40)}`, `{"a":"${'x'.repeat(24)} ...`],
  ['hi', '6869'],
])('%s', (body, shown) => {
  expect(unrecognizedObject('Pod', 'problem', Buffer.from(body))).toBe(
    `the object provided is unrecognized (must be of type Pod): problem (${shown})`,
  );
});
