import { mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '@orrery/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '../../store.ts';
import { openLmdbStore } from './lmdb-store.ts';

const marker = 'find-me-in-the-file';

describe('a damaged file is Corrupt', () => {
  let directory: string;
  const dataFile = () => join(directory, 'data.mdb');
  const openStore = () => openLmdbStore({ directory, clock: realClock });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'orrery-damage-'));
    const store = await openStore();
    const value = new TextEncoder().encode(marker.padEnd(1000, '.'));
    for (let index = 0; index < 200; index += 1) await store.transact([], [{ type: 'put', key: `k${index}`, value }]);
    await store.close();
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** Opens, reads and writes; the first error. */
  const use = async (): Promise<unknown> => {
    try {
      const store = await openStore();
      try {
        await store.range({ start: 'a', end: 'z' });
        await store.range({ start: 'a', end: 'z', revision: 100 });
        for (let index = 0; index < 200; index += 1) await store.transact([], [{ type: 'delete', key: `k${index}` }]);
      } finally {
        await store.close();
      }
    } catch (error) {
      return error;
    }
    return undefined;
  };
  const isCorrupt = (error: unknown): boolean => error instanceof StorageError && error.code === 'Corrupt';

  test('no data file at all', async () => {
    await writeFile(dataFile(), 'this is no database'.repeat(1000));
    await expect(openStore()).rejects.toMatchObject({ code: 'Corrupt' });
    expect((await readFile(dataFile())).toString()).toContain('this is no database');
  });

  test.each([1, 4095, 8192, 20_000])('cut to %i bytes', async (size) => {
    await truncate(dataFile(), size);
    expect(isCorrupt(await use())).toBe(true);
  });

  test.each([0.3, 0.6, 0.9])('cut to a share of %d', async (share) => {
    const { size } = await stat(dataFile());
    await truncate(dataFile(), Math.floor(size * share));
    const error = await use();
    // What was cut off may have been free pages alone; then nothing is lost.
    if (error !== undefined) expect(isCorrupt(error)).toBe(true);
  });

  test('a flipped bit in a value is found when the value is read, and the store then refuses everything', async () => {
    const data = await readFile(dataFile());
    for (let at = data.indexOf(marker); at >= 0; at = data.indexOf(marker, at + 1)) data.writeUInt8(data.readUInt8(at) ^ 1, at);
    await writeFile(dataFile(), data);
    const store = await openStore();
    await expect(store.get('k7')).rejects.toMatchObject({ code: 'Corrupt', message: expect.stringContaining('k7') });
    await expect(store.transact([], [{ type: 'put', key: 'x', value: new Uint8Array() }])).rejects.toMatchObject({ code: 'Corrupt' });
    await store.close();
  });

  test('a damaged head', async () => {
    const file = await open(dataFile(), 'r+');
    for (const page of [0, 4096]) await file.write(Buffer.alloc(64, 0xff), 0, 64, page + 80);
    await file.close();
    expect(isCorrupt(await use())).toBe(true);
  });
});
