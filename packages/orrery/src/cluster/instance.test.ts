import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claimInstance, removeInstance, runningInstance, writeInstance, writePrivateFile } from './instance.ts';

const instance = { pid: process.pid, url: 'https://127.0.0.1:1', version: '0', startedAt: '', node: 'n', runtime: 'process', notes: [] };
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-instance-'));
  file = join(folder, 'deep/instance.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a living process is found, and its file is private', async () => {
  await writeInstance(file, instance);
  expect(await runningInstance(file)).toMatchObject(instance);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await removeInstance(file);
  expect(await runningInstance(file)).toBeUndefined();
});

test('only its own process takes it away, when told so', async () => {
  await writeInstance(file, instance);
  await removeInstance(file, 1);
  expect(await runningInstance(file)).toBeDefined();
  await removeInstance(file, process.pid);
  expect(await runningInstance(file)).toBeUndefined();
});

const nobody: readonly (readonly [string, string])[] = [
  ['no such process', JSON.stringify({ ...instance, pid: 2 ** 22 + 1 })],
  ['another process with the same id', JSON.stringify({ ...instance, startTicks: '1' })],
  ['half written', '{"pid": 1'],
  ['empty', ''],
  ['not an instance', '{"pid":"x"}'],
];
test.each(nobody)('%s: nobody serves', async (_, content) => {
  await writePrivateFile(file, content);
  expect(await runningInstance(file)).toBeUndefined();
});

test('writing over a readable file makes it private', async () => {
  const path = join(folder, 'open');
  await writeFile(path, 'x', { mode: 0o644 });
  await writePrivateFile(path, 'y');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

describe('a claim', () => {
  test('is had by one process until that takes it away, and leaves no other file', async () => {
    const parent = { ...instance, pid: process.ppid };
    expect(await claimInstance(file, parent)).toBeUndefined();
    expect(await claimInstance(file, instance)).toMatchObject(parent);
    expect(await claimInstance(file, parent)).toBeUndefined();
    expect(await readdir(join(folder, 'deep'))).toEqual(['instance.json']);
    await removeInstance(file, process.ppid);
    expect(await claimInstance(file, instance)).toBeUndefined();
    expect(await runningInstance(file)).toMatchObject(instance);
  });

  test.each(nobody)('does not wait for what is left: %s', async (_, content) => {
    await writePrivateFile(file, content);
    expect(await claimInstance(file, instance)).toBeUndefined();
    expect(await runningInstance(file)).toMatchObject(instance);
    expect(await readdir(join(folder, 'deep'))).toEqual(['instance.json']);
  });
});
