import { expect, test } from 'vitest';
import { mountsUnder } from './mounts.ts';

test('mounts under a folder, the deepest first, and none beside it', () => {
  const info = [
    '22 1 8:1 / / rw - ext4 /dev/vda rw',
    '30 22 0:5 / /data/a rw - tmpfs tmpfs rw',
    '31 30 0:6 / /data/a/with\\040space rw shared:1 - tmpfs tmpfs rw',
    '32 22 0:7 / /data/ab rw - tmpfs tmpfs rw',
    '',
  ].join('\n');
  expect(mountsUnder('/data/a', info)).toEqual(['/data/a/with space', '/data/a']);
});
