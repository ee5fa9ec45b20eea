import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realPlace } from './real-place.ts';

test('links on the way are followed, what is missing stays', async () => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'orrery-place-')));
  try {
    await mkdir(join(directory, 'run'));
    await symlink(join(directory, 'run'), join(directory, 'link'));
    expect(await realPlace(join(directory, 'link/secrets/a'))).toBe(join(directory, 'run/secrets/a'));
    expect(await realPlace(join(directory, 'link'))).toBe(join(directory, 'run'));
    expect(await realPlace(join(directory, 'none/a'))).toBe(join(directory, 'none/a'));
  } finally {
    await rm(directory, { recursive: true });
  }
});
