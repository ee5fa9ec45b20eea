import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock, systemRandom } from '@orrery/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadPki } from './pki-files.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const hosts = { apiserver: ['127.0.0.1'], nodeName: 'n', node: [] };
const at = (days = 0) => ({ nowMs: realClock.now() + days * DAY_MS, serial: () => systemRandom.bytes(16) });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-pki-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('what is there is kept; files are for their owner only', async () => {
  const first = await loadPki(folder, hosts, at());
  expect(await loadPki(folder, hosts, at())).toEqual(first);
  const files = await readdir(folder);
  expect(files).toHaveLength(10);
  for (const file of files) expect((await stat(join(folder, file))).mode & 0o777, file).toBe(0o600);
});

test('leaves are renewed in their last month, the authority stays', async () => {
  const first = await loadPki(folder, hosts, at());
  const lifeDays = (Date.parse(new X509Certificate(first.admin.cert).validTo) - realClock.now()) / DAY_MS;
  expect(await loadPki(folder, hosts, at(lifeDays - 32))).toEqual(first);
  const renewed = await loadPki(folder, hosts, at(lifeDays - 28));
  expect(renewed.ca).toEqual(first.ca);
  expect([renewed.admin.cert === first.admin.cert, renewed.apiserver.cert === first.apiserver.cert]).toEqual([false, false]);
});

test('another address: only the certificate that names it is issued anew', async () => {
  const first = await loadPki(folder, hosts, at());
  const second = await loadPki(folder, { ...hosts, apiserver: ['10.1.2.3', 'cluster.example'] }, at());
  expect(second).toEqual({ ...first, apiserver: second.apiserver });
  const certificate = new X509Certificate(second.apiserver.cert);
  expect([certificate.checkIP('10.1.2.3'), certificate.checkHost('cluster.example')]).toEqual(['10.1.2.3', 'cluster.example']);
});

test.each([
  ['a half-written certificate', 'admin.crt', '-----BEGIN CERT'],
  ['an empty key', 'admin.key', ''],
])('%s: issued anew', async (_, file, content) => {
  const first = await loadPki(folder, hosts, at());
  await writeFile(join(folder, file), content);
  const second = await loadPki(folder, hosts, at());
  expect(second).toEqual({ ...first, admin: second.admin });
  expect(second.admin).not.toEqual(first.admin);
});

test('leaves of another authority are issued anew', async () => {
  await loadPki(folder, hosts, at());
  await rm(join(folder, 'ca.crt'));
  const { ca, admin, apiserver } = await loadPki(folder, hosts, at());
  for (const { cert } of [admin, apiserver]) expect(new X509Certificate(cert).verify(new X509Certificate(ca.cert).publicKey)).toBe(true);
  expect(await readFile(join(folder, 'admin.crt'), 'utf8')).toBe(admin.cert);
});

test('a damaged authority is not replaced behind the user: told with what to do', async () => {
  await loadPki(folder, hosts, at());
  await writeFile(join(folder, 'ca.crt'), 'garbage');
  await expect(loadPki(folder, hosts, at())).rejects.toThrow(/ca.crt and ca.key are damaged.*restore them, or remove/);
});
