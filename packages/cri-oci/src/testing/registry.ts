import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock, sealedStdio } from '@orrery/base';
import type { TestImage } from './test-image.ts';

/** A real docker-registry on loopback. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly url: URL;
  push(repository: string, tag: string, image: TestImage): Promise<void>;
  close(): Promise<void>;
}

const startTimeoutMs = 20_000;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

async function ready(url: URL, child: ChildProcess): Promise<void> {
  for (const start = realClock.monotonicMs(); realClock.monotonicMs() - start < startTimeoutMs; await realClock.sleep(20)) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with code ${child.exitCode}`);
    const answer = await fetch(new URL('v2/', url)).catch(() => undefined);
    if (answer?.ok === true) return;
  }
  throw new Error(`docker-registry did not answer within ${startTimeoutMs} ms`);
}

async function upload(url: URL, repository: string, digest: string, bytes: Buffer): Promise<void> {
  const begun = await fetch(new URL(`v2/${repository}/blobs/uploads/`, url), { method: 'POST' });
  const location = new URL(begun.headers.get('location') ?? '', url);
  location.searchParams.set('digest', digest);
  const done = await fetch(location, {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { 'content-type': 'application/octet-stream' },
  });
  if (done.status !== 201) throw new Error(`upload of ${digest}: ${done.status}`);
}

/** Starts Debian's docker-registry with its storage in a folder of its own. Close it. */
export async function startRegistry(): Promise<TestRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const url = new URL(`http://${host}/`);
  const config = join(directory, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${directory}/data } }\nhttp: { addr: ${host} }\n`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: sealedStdio(['ignore', 'ignore', 'ignore']) });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()).on('error', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await ready(url, child);
  } catch (err) {
    await close();
    throw err;
  }
  return {
    host,
    url,
    async push(repository, tag, image) {
      for (const [digest, bytes] of image.blobs) if (digest !== image.manifestDigest) await upload(url, repository, digest, bytes);
      const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
      const done = await fetch(new URL(`v2/${repository}/manifests/${tag}`, url), {
        method: 'PUT',
        body: new Uint8Array(image.manifest),
        headers,
      });
      if (done.status !== 201) throw new Error(`push of ${repository}:${tag}: ${done.status} ${await done.text()}`);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
