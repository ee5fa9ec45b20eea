import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepRegistries, readRegistries, registriesFile } from './registries.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-registries-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const written = async (text: string): Promise<string> => {
  const path = join(folder, 'given.yaml');
  await writeFile(path, text, { mode: 0o644 });
  return path;
};

test('mirrors of a file are known, and the cluster keeps a copy for itself', async () => {
  const path = await written('mirrors:\n  docker.io:\n    endpoint: ["http://127.0.0.1:5000"]\n');
  const { mirrors } = await readRegistries(path);
  expect(mirrors.get('docker.io')?.endpoints.map(String)).toEqual(['http://127.0.0.1:5000/']);
  await keepRegistries(path, folder);
  expect(await readFile(registriesFile(folder), 'utf8')).toBe(await readFile(path, 'utf8'));
  expect((await stat(registriesFile(folder))).mode & 0o777).toBe(0o600);
});

test.each([
  ['what is no YAML', 'mirrors: [', /given\.yaml: /],
  ['a misspelt field', 'mirror: {}', /given\.yaml: mirror: unknown field/],
  ['a field of the wrong type', 'mirrors: { docker.io: { endpoint: 5 } }', /mirrors.*endpoint/],
])('%s is refused with its place', async (_, text, says) => {
  await expect(readRegistries(await written(text))).rejects.toThrow(says);
});

test('a file that is not there is named', async () => {
  await expect(readRegistries('/nowhere.yaml')).rejects.toThrow('cannot read the registries file /nowhere.yaml');
});
