import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock, systemRandom } from '@orrery/base';
import { expect, test } from 'vitest';
import { openImageStore } from './open-image-store.ts';

test('loads what umoci and skopeo make: a layout, its tar, gzip and zstd, and an archive of docker save', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-archives-'));
  const run = (command: string, ...args: string[]): Buffer =>
    execFileSync(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    run('umoci', 'init', '--layout', 'lay');
    run('umoci', 'new', '--image', 'lay:app-1');
    run('umoci', 'insert', '--image', 'lay:app-1', '/usr/bin/busybox', '/bin/busybox');
    run('umoci', 'config', '--image', 'lay:app-1', '--config.user', '1000:1000', '--config.cmd', '/bin/busybox');
    run('skopeo', '--insecure-policy', 'copy', 'oci:lay:app-1', 'docker-archive:docker.tar:docker.io/library/saved:1');
    run('tar', '-C', 'lay', '-czf', 'lay.tgz', '.');
    run('tar', '-C', 'lay', '--zstd', '-cf', 'lay.tar.zst', '.');
    const store = await openImageStore({ directory: join(directory, 'images'), clock: realClock, random: systemRandom });
    const [first] = await store.load(join(directory, 'lay'), { references: ['app:1'] });
    expect(first).toMatchObject({ repoTags: ['docker.io/library/app:1'], config: { User: '1000:1000', Cmd: ['/bin/busybox'] } });
    await store.load(join(directory, 'lay.tgz'), { references: ['app:2'] });
    await store.load(createReadStream(join(directory, 'lay.tar.zst')), { references: ['app:3'] });
    await store.load(join(directory, 'docker.tar'));
    expect(store.resolve('saved:1')?.layers).toEqual(first?.layers);
    expect(store.resolve('app:3')?.repoTags).toContain('docker.io/library/app:2');
    await expect(store.load(join(directory, 'lay', 'index.json'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await store.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
