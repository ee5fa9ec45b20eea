import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newSeededRandom, newVirtualClock } from '@orrery/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeAtomically } from './atomic-writer.ts';
import { checkHostPath } from './host-path.ts';
import { type Payload, selectFiles } from './payload.ts';
import { openSubPath } from './sub-path.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'orrery-volumes-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const files = (entries: Readonly<Record<string, string>>, mode = 0o644): Payload =>
  new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

describe('writeAtomically', () => {
  const clock = newVirtualClock();
  const random = newSeededRandom(1);
  const write = (payload: Payload) => writeAtomically(join(directory, 'v'), payload, { clock, random });
  const read = (path: string) => readFile(join(directory, 'v', path), 'utf8');

  test('writes files with modes behind links, and knows when nothing changed', async () => {
    expect(await write(files({ a: '1', 'd/e/f': '2' }, 0o400))).toBe(true);
    expect([await read('a'), await read('d/e/f')]).toEqual(['1', '2']);
    expect((await stat(join(directory, 'v', 'a'))).mode & 0o777).toBe(0o400);
    expect(await readlink(join(directory, 'v', 'd'))).toBe('..data/d');
    expect(await write(files({ a: '1', 'd/e/f': '2' }, 0o400))).toBe(false);
  });

  test('moves to new content at once and leaves nothing old', async () => {
    await write(files({ a: '1', b: '1' }));
    const before = await readlink(join(directory, 'v', '..data'));
    expect(await write(files({ a: '2', c: '2' }))).toBe(true);
    expect(await readlink(join(directory, 'v', '..data'))).not.toBe(before);
    expect((await readdir(join(directory, 'v'))).filter((name) => !name.startsWith('..')).sort()).toEqual(['a', 'c']);
    expect((await readdir(join(directory, 'v'))).length).toBe(4); // a, c, ..data and the one directory it names.
    expect(await read('a')).toBe('2');
  });

  test('a mode alone is a change', async () => {
    await write(files({ a: '1' }));
    expect(await write(files({ a: '1' }, 0o600))).toBe(true);
  });

  for (const path of ['../x', '/x', 'a/../../x', '', '..x']) {
    test(`refuses the path ${JSON.stringify(path)}`, async () => {
      await expect(write(files({ [path]: '1' }))).rejects.toThrow('invalid path');
    });
  }
});

describe('selectFiles', () => {
  const data = new Map([['k', Buffer.from('v')]]);
  const options = { defaultMode: 0o644, optional: false, missing: (key: string) => `no ${key}` };
  test('takes all', () => expect([...selectFiles(data, undefined, options).keys()]).toEqual(['k']));
  test('takes items under their paths', () =>
    expect(selectFiles(data, [{ key: 'k', path: 'x/y', mode: 0o400 }], options).get('x/y')).toEqual({
      data: Buffer.from('v'),
      mode: 0o400,
    }));
  test('refuses a key that is not there', () => expect(() => selectFiles(data, [{ key: 'z', path: 'z' }], options)).toThrow('no z'));
  test('skips it when optional', () => expect(selectFiles(data, [{ key: 'z', path: 'z' }], { ...options, optional: true }).size).toBe(0));
});

/** The real path of the place, which is opened and closed. */
async function resolveSubPath(volume: string, subPath: string): Promise<string> {
  const place = await openSubPath(volume, subPath);
  try {
    return await realpath(`/proc/self/fd/${place.fd}`);
  } finally {
    await place.close();
  }
}

describe('openSubPath', () => {
  let volume = '';
  beforeEach(async () => {
    volume = join(directory, 'volume');
    await mkdir(join(volume, 'inside'), { recursive: true });
    await mkdir(join(directory, 'outside'));
    await symlink(join(directory, 'outside'), join(volume, 'leaves'));
    await symlink('inside', join(volume, 'stays'));
    await symlink('../outside', join(volume, 'up'));
  });

  test('makes what is missing', async () => {
    const path = await resolveSubPath(volume, 'x/y');
    expect(path).toBe(join(await realpath(volume), 'x', 'y'));
    expect((await lstat(path)).isDirectory()).toBe(true);
  });
  test('follows a link that stays inside', async () =>
    expect(await resolveSubPath(volume, 'stays')).toBe(join(await realpath(volume), 'inside')));
  for (const path of ['leaves', 'up', 'leaves/deeper', '../outside', 'a/../../outside', '/etc']) {
    test(`refuses ${path}`, async () => {
      await expect(resolveSubPath(volume, path)).rejects.toThrow();
      expect(await readdir(join(directory, 'outside'))).toEqual([]);
    });
  }
});

describe('checkHostPath', () => {
  test('makes what it may', async () => {
    await checkHostPath(join(directory, 'd', 'e'), 'DirectoryOrCreate');
    await checkHostPath(join(directory, 'f'), 'FileOrCreate');
    expect((await stat(join(directory, 'd', 'e'))).isDirectory()).toBe(true);
    expect((await stat(join(directory, 'f'))).isFile()).toBe(true);
  });
  test('refuses what is of another kind', async () => {
    await writeFile(join(directory, 'f'), '');
    await expect(checkHostPath(join(directory, 'f'), 'Directory')).rejects.toThrow(
      `hostPath type check failed: ${join(directory, 'f')} is not a directory`,
    );
    await expect(checkHostPath(join(directory, 'none'), 'File')).rejects.toThrow('is not a file');
    await expect(checkHostPath(directory, 'Socket')).rejects.toThrow('is not a socket file');
  });
  test('makes an untyped path, and asks nothing of it', async () => {
    await checkHostPath(join(directory, 'none'), '');
    expect((await stat(join(directory, 'none'))).isDirectory()).toBe(true);
    await writeFile(join(directory, 'f'), '');
    await checkHostPath(join(directory, 'f'), '');
  });
  test('makes no directories for a file', async () => {
    await expect(checkHostPath(join(directory, 'no', 'f'), 'FileOrCreate')).rejects.toThrow(
      `open ${join(directory, 'no', 'f')}: no such file or directory`,
    );
  });
});
