import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, statfs, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '@orrery/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../store.ts';
import { openLmdbStore } from './lmdb-store.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const why = isRoot ? '' : ' (skipped: a small file system can be mounted by root on Linux only)';

describe.skipIf(!isRoot)(`a full disk${why}`, () => {
  let mount: string;
  let opened: Store | undefined;
  const open = async (): Promise<Store> => {
    opened = await openLmdbStore({ directory: join(mount, 'store'), clock: realClock });
    return opened;
  };
  const put = (store: Store, key: string) => store.transact([], [{ type: 'put', key, value: new Uint8Array(20_000).fill(1) }]);

  beforeEach(async () => {
    mount = await mkdtemp(join(tmpdir(), 'orrery-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount]);
  });
  afterEach(async () => {
    await opened?.close();
    execFileSync('umount', [mount]);
    await rm(mount, { recursive: true, force: true });
  });

  const fill = async (name: string, leaveBytes: number): Promise<void> => {
    const { bavail, bsize } = await statfs(mount);
    await writeFile(join(mount, name), new Uint8Array(Math.max(0, bavail * bsize - leaveBytes)));
  };

  test('is NoSpace; what was acknowledged stays, reads go on, and writes too once there is room', async () => {
    await writeFile(join(mount, 'ballast'), new Uint8Array(1024 * 1024));
    const store = await open();
    const acknowledged: string[] = [];
    const write = async (key: string): Promise<unknown> => {
      try {
        await put(store, key);
        acknowledged.push(key);
        return undefined;
      } catch (error) {
        return error;
      }
    };
    const failures: unknown[] = (await Promise.all(Array.from({ length: 200 }, (_, index) => write(`a${index}`)))).filter(
      (error) => error !== undefined,
    );
    for (let index = 0, full = false; !full && index < 1000; index += 1) {
      const failure = await write(`b${index}`);
      full = failure !== undefined;
      if (full) failures.push(failure);
    }
    expect(failures.length).toBeGreaterThan(0);
    // Found out by us: LMDB's own code would be a number, and its binding does not always survive to say it.
    for (const error of failures) expect(error).toMatchObject({ code: 'NoSpace', cause: { code: 'ENOSPC' } });

    const { revision } = store;
    const keys = async (of: Store) => (await of.range({ start: 'a', end: 'z' })).entries.map((entry) => entry.key);
    expect(await keys(store)).toEqual([...acknowledged].sort());
    await expect(put(store, 'still-full')).rejects.toMatchObject({ code: 'NoSpace' });
    expect(store.revision).toBe(revision);

    await unlink(join(mount, 'ballast'));
    expect(await put(store, 'room-again')).toEqual({ succeeded: true, revision: revision + 1 });
    await store.close();
    const reopened = await open();
    expect(await keys(reopened)).toEqual([...acknowledged, 'room-again'].sort());
    await reopened.close();
  });

  test('when the store is opened is NoSpace, or works', async () => {
    for (const leaveBytes of [0, 4096, 12_288, 40_960, 81_920]) {
      await fill('ballast', leaveBytes);
      await open().then(
        (store) => store.close(),
        (error: unknown) => expect(error).toMatchObject({ code: 'NoSpace' }),
      );
      await unlink(join(mount, 'ballast'));
    }
    await (await open()).close();
  });
});
