import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock, sealedStdio } from '@orrery/base';
import { expect, test } from 'vitest';
import { openLmdbStore } from './lmdb-store.ts';

test.skipIf(process.platform !== 'linux')('a child that is spawned with sealedStdio() has no file of the store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-inherit-'));
  const store = await openLmdbStore({ directory, clock: realClock });
  try {
    const sealed = spawnSync('ls', ['-l', '/proc/self/fd'], { stdio: sealedStdio(['ignore', 'pipe', 'inherit']), encoding: 'utf8' });
    expect(sealed.stdout).not.toContain(directory);
    expect(sealed.status).toBe(0);
    // Why it is needed; when this fails, LMDB has learnt better and the other can go.
    expect(execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })).toContain(join(directory, 'data.mdb'));
  } finally {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
});
