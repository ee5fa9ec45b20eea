import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { realClock } from '@orrery/base';
import { afterEach, expect, test } from 'vitest';
import { testImage } from '../testing/test-image.ts';
import { parseManifest } from './manifest.ts';
import { parseReference } from './reference.ts';
import { newRepository, type Repository } from './registry-client.ts';

const image = testImage([[{ name: 'file', content: 'content'.repeat(1000) }]]);
const [layer] = parseManifest(JSON.parse(image.manifest.toString())).layers;
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
async function serve(answer: Answer): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
async function repositoryAt(answer: Answer, auth?: { username?: string; password?: string; identityToken?: string }): Promise<Repository> {
  const host = await serve(answer);
  const registries = { mirrors: new Map([[host, { endpoints: [new URL(`http://${host}/`)], rewrites: [] }]]), configs: new Map() };
  return newRepository(parseReference(`${host}/a/b:1`), auth, { clock: realClock, registries, stallTimeoutMs: 150 });
}
async function read(repository: Repository, signal?: AbortSignal): Promise<Buffer> {
  if (layer === undefined) throw new Error('the image has no layer');
  const parts: Buffer[] = [];
  for await (const part of repository.layer(layer, signal)) parts.push(part);
  return Buffer.concat(parts);
}
const blob = layer === undefined ? Buffer.alloc(0) : (image.blobs.get(layer.digest) ?? Buffer.alloc(0));

test('goes on where a connection broke', async () => {
  const ranges: (string | undefined)[] = [];
  const repository = await repositoryAt(({ headers: { range } }, response) => {
    ranges.push(range);
    const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    response.writeHead(range === undefined ? 200 : 206, { 'content-length': blob.length - from });
    response.write(blob.subarray(from, from + 20), () => (from < 20 ? response.destroy() : response.end(blob.subarray(from + 20))));
  });
  expect(await read(repository)).toEqual(blob);
  expect(ranges).toEqual([undefined, 'bytes=20-']);
});

test('refuses wrong bytes, and more bytes than promised', async () => {
  const wrong = Buffer.alloc(blob.length, 1);
  await expect(read(await repositoryAt((_, response) => response.end(wrong)))).rejects.toThrow('failed to verify layer');
  await expect(read(await repositoryAt((_, response) => response.end(Buffer.concat([blob, wrong]))))).rejects.toThrow('is longer than');
});

test('tells which host stalls', async () => {
  const repository = await repositoryAt((_, response) =>
    response.writeHead(200, { 'content-length': blob.length }).write(blob.subarray(0, 9)),
  );
  await expect(read(repository)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/127\.0\.0\.1:\d+ sent no bytes for 0\.15 s/),
  });
});

test('refuses huge manifests, and manifests of another digest', async () => {
  const huge = await repositoryAt((_, response) => response.end(Buffer.alloc(5 * 1024 * 1024)));
  await expect(huge.manifest('1')).rejects.toThrow('larger than 4194304 bytes');
  const other = await repositoryAt((_, response) => response.end('{}'));
  await expect(other.manifest(image.manifestDigest)).rejects.toThrow('failed to verify content');
});

test('gets a token with the credentials, and sends neither to the host of a redirect', async () => {
  const seen: string[] = [];
  const elsewhere = await serve((request, response) => {
    seen.push(`elsewhere ${request.headers.authorization ?? '-'}`);
    response.end(image.manifest);
  });
  const repository = await repositoryAt(
    (request, response) => {
      const { authorization = '-' } = request.headers;
      if (request.url?.startsWith('/token') === true) {
        seen.push(`token ${authorization} ${request.url}`);
        response.end('{"token":"T"}');
      } else if (authorization === 'Bearer T') response.writeHead(307, { location: `http://${elsewhere}/m` }).end();
      else
        response
          .writeHead(401, {
            'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="s",scope="repository:a/b:pull"`,
          })
          .end();
    },
    { username: 'u', password: 'p' },
  );
  expect((await repository.manifest('1')).digest).toBe(image.manifestDigest);
  expect(seen).toEqual(['token Basic dTpw /token?service=s&scope=repository%3Aa%2Fb%3Apull', 'elsewhere -']);
});

test('gets a token for an identity token by OAuth 2, and says when that is refused', async () => {
  const seen: string[] = [];
  const answer: Answer = (request, response) => {
    const { authorization = '-', host } = request.headers;
    if (request.url === '/token') {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const form = Buffer.concat(parts).toString();
        seen.push(`${request.method} ${authorization} ${request.headers['content-type']} ${form}`);
        response.writeHead(form.includes('refresh_token=good') ? 200 : 401).end('{"access_token":"T","expires_in":60}');
      });
    } else if (authorization === 'Bearer T') response.end(image.manifest);
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="s"` }).end();
  };
  const good = await repositoryAt(answer, { username: 'ignored', password: '', identityToken: 'good' });
  expect((await good.manifest('1')).digest).toBe(image.manifestDigest);
  expect(seen).toEqual([
    'POST - application/x-www-form-urlencoded grant_type=refresh_token&refresh_token=good&client_id=orrery&service=s&scope=repository%3Aa%2Fb%3Apull',
  ]);
  const bad = await repositoryAt(answer, { identityToken: 'bad' });
  await expect(bad.manifest('1')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test.each([
  [401, { 'www-authenticate': 'Basic realm="r"' }, 'UNAUTHENTICATED', '401 Unauthorized'],
  [403, {}, 'PERMISSION_DENIED', 'pull access denied'],
  [404, {}, 'NOT_FOUND', 'manifest unknown'],
] as const)('answers %s by a clear error', async (status, headers, code, words) => {
  const repository = await repositoryAt((_, response) => response.writeHead(status, headers).end());
  await expect(repository.manifest('1')).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
});

test('ends when it is told to', async () => {
  const abort = new AbortController();
  const repository = await repositoryAt((_, response) => {
    response.writeHead(200, { 'content-length': blob.length }).write(blob.subarray(0, 9));
    abort.abort(new Error('enough'));
  });
  await expect(read(repository, abort.signal)).rejects.toThrow('enough');
});
