import { expect, test } from 'vitest';
import { fstab } from './fstab.ts';

test.each([
  [{ source: 'overlay', target: '/a', type: 'overlay', options: 'lowerdir=b:c' }, 'overlay /a overlay lowerdir=b:c 0 0\n'],
  [{ source: '#x', target: '/a b\\c\td\n', type: 'none', options: 'bind' }, '\\043x /a\\040b\\134c\\011d\\012 none bind 0 0\n'],
  [{ source: '/é\u00a0', target: '/a', type: 'none', options: 'bind' }, '/é\\302\\240 /a none bind 0 0\n'],
])('%o', (entry, line) => {
  expect(fstab([entry])).toBe(line);
});
