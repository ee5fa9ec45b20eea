import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimRanges, rangesOf, releaseRanges } from './address-ranges.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'orrery-ranges-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const claim = async (name: string, local: readonly string[] = []) => {
  const data = join(root, name);
  await mkdir(data, { recursive: true });
  return claimRanges(data, join(root, 'claims'), local);
};

test('each cluster has its own ranges, and keeps them', async () => {
  const all = await Promise.all(['a', 'b', 'c'].map((name) => claim(name)));
  expect(new Set(all.map(({ pods }) => pods)).size).toBe(3);
  expect(await claim('b')).toEqual(all[1]);
});

test('ranges in which the machine has an address are left alone', async () => {
  expect(await claim('a', ['192.168.0.1', '10.244.0.0', '10.97.3.4'])).toEqual(rangesOf(2));
});

test("a cluster's own bridge does not make it move", async () => {
  expect(await claim('a')).toEqual(await claim('a', ['10.244.0.1']));
});

test('the ranges of a deleted cluster are given again', async () => {
  const first = await claim('a');
  await rm(join(root, 'a'), { recursive: true });
  expect(await claim('b')).toEqual(first);
});

test('what was given back is free, and the last one leaves no folder', async () => {
  const first = await claim('a');
  const second = await claim('b');
  await releaseRanges(join(root, 'a'), join(root, 'claims'));
  expect(await claim('c')).toEqual(first);
  for (const name of ['a', 'b', 'c']) await releaseRanges(join(root, name), join(root, 'claims'));
  expect(await readdir(root)).toEqual(['a', 'b', 'c']);
  expect(await claim('b')).toEqual(second);
});

test('who comes back and finds his ranges taken is told by whom', async () => {
  await claim('a');
  await rm(join(root, 'claims'), { recursive: true });
  await claim('b');
  await expect(claim('a')).rejects.toThrow(`${root}/b uses the address ranges of this one`);
});

test('when all are in use, it says what to do', async () => {
  for (let i = 0; i < 12; i += 1) await claim(`c${i}`);
  await expect(claim('one-more')).rejects.toThrow('orrery reset');
});
