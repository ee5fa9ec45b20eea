import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realClock } from '@orrery/base';
import { open as openLmdb } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLmdbStore } from './lmdb-store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('openLmdbStore', () => {
  let directory: string;
  const open = () => openLmdbStore({ directory, clock: realClock });

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'orrery-lmdb-')), 'made', 'by', 'open');
  });
  afterEach(() => rm(join(directory, '../../..'), { recursive: true, force: true }));

  test('Locked: the directory is open in this process', async () => {
    const store = await open();
    await expect(open()).rejects.toMatchObject({ code: 'Locked', message: expect.stringContaining(`in use by process ${process.pid}`) });
    await store.close();
    await (await open()).close();
  });

  test('Locked: the directory is open in another process, and free as soon as that is killed', async () => {
    const main = fileURLToPath(new URL('../../crash/main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', main, directory, '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.stdout.resume();
    await expect(open()).rejects.toMatchObject({ code: 'Locked', message: expect.stringContaining(`process ${child.pid}`) });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await open()).close();
  });

  test('Locked: of many that open at once, one gets the store', async () => {
    const opened = await Promise.allSettled(Array.from({ length: 8 }, open));
    const stores = opened.filter((result) => result.status === 'fulfilled').map((result) => result.value);
    expect(stores).toHaveLength(1);
    for (const result of opened) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'Locked' });
    await stores[0]?.close();
  });

  test('only the owner can read what is stored, whatever the directory was like', async () => {
    await (await open()).close();
    await chmod(directory, 0o755);
    const store = await open();
    await store.transact([], [{ type: 'put', key: 'a', value: bytes('secret') }]);
    await store.close();
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const file of await readdir(directory)) expect([file, (await stat(join(directory, file))).mode & 0o777]).toEqual([file, 0o600]);
  });

  test('VersionTooNew: the data has a later format, and stays untouched', async () => {
    await (await open()).close();
    const root = openLmdb<Buffer, string>({ path: directory, noSubdir: false, overlappingSync: false, maxDbs: 8, encoding: 'binary' });
    const format = Buffer.from([0, 0, 0, 2]);
    const meta = root.openDB<Buffer, string>('meta', { encoding: 'binary', ...{ keyEncoding: 'binary' } });
    await meta.put(Buffer.from('format') as never, format);
    await root.close();
    const before = await readFile(join(directory, 'data.mdb'));
    await expect(open()).rejects.toMatchObject({ code: 'VersionTooNew' });
    expect(Buffer.compare(await readFile(join(directory, 'data.mdb')), before)).toBe(0);
  });

  test('a failed open gives the lock back', async () => {
    await chmod(join(directory, '../../..'), 0o700);
    const file = join(directory, '../../../a-file');
    await (await import('node:fs/promises')).writeFile(file, '');
    await expect(openLmdbStore({ directory: file, clock: realClock })).rejects.toThrow();
    await (await open()).close();
  });
});
