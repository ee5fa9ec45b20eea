import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { configMaps, pods } from '@orrery/api';
import { isExpired, isNotFound, type KubeObject, reasonOf } from '@orrery/apimachinery';
import { realClock } from '@orrery/base';
import { afterEach, describe, expect, test } from 'vitest';
import type { Client } from '../client.ts';
import { newClient } from '../new-client.ts';
import { testCertificate } from '../testing/test-certificate.ts';
import { type HttpsTransportOptions, isConnectionError, newHttpsTransport } from './https-transport.ts';

type Request = http2.Http2ServerRequest;
type Response = http2.Http2ServerResponse;
type Answer = (request: Request, response: Response, body: string) => void | Promise<void>;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A TLS server that answers as told. `protocol` is what it offers by ALPN. */
async function serve(answer: Answer, protocol: 'h2' | 'http/1.1' = 'h2', settings: http2.Settings = {}) {
  const sessions = new Set<http2.ServerHttp2Session>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const handle = async (request: Request, response: Response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    await answer(request, response, Buffer.concat(chunks).toString());
  };
  const onRequest = (request: unknown, response: unknown) => void handle(request as Request, response as Response);
  const server =
    protocol === 'h2'
      ? http2.createSecureServer({ ...testCertificate, allowHTTP1: true, settings }, onRequest)
      : https.createServer(testCertificate, onRequest);
  server.on('session', (session: http2.ServerHttp2Session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  server.on('secureConnection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    server,
    sessions,
    sockets,
    connections: () => connections,
    url: `https://127.0.0.1:${port}`,
  };
}

function connect(server: string, options: Partial<HttpsTransportOptions> = {}): Client {
  const transport = newHttpsTransport({ server, ca: testCertificate.cert, ...options });
  cleanups.push(() => transport.close());
  return newClient(transport);
}

const json = (response: Response, value: unknown, status = 200, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
};
const status = (code: number, reason: string, message: string) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  code,
  reason,
  message,
});
const object = (name: string, resourceVersion = '1') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns', resourceVersion },
});

for (const protocol of ['h2', 'http/1.1'] as const) {
  describe(`over ${protocol}`, () => {
    test.each(['the server', 'its own closing'])('an answer that is cut by %s says so', async (by) => {
      let half = () => {};
      const begun = new Promise<void>((resolve) => {
        half = resolve;
      });
      const { url, sockets } = await serve((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"kind":');
        realClock.after(20, half);
      }, protocol);
      const transport = newHttpsTransport({ server: url, ca: testCertificate.cert });
      cleanups.push(() => transport.close());
      const deleted = newClient(transport).delete(pods, { namespace: 'ns', name: 'a' });
      const failed = deleted.catch((error: unknown) => error);
      await begun;
      if (by === 'the server') for (const socket of sockets) socket.destroy();
      else await transport.close();
      const error = await failed;
      expect(String(error)).not.toContain('JSON');
      expect(isConnectionError(error)).toBe(true);
    });

    test('requests have the path, query, headers and body of the API', async () => {
      const seen: unknown[] = [];
      const { url, connections } = await serve((request, response, body) => {
        const { 'content-type': type, authorization } = request.headers;
        seen.push([request.method, request.url, type, authorization, body === '' ? undefined : JSON.parse(body)]);
        json(response, object('a'));
      }, protocol);
      const client = connect(url, { token: 'secret' });
      const key = { namespace: 'ns', name: 'a' };
      await client.get(configMaps, key);
      await client.create(configMaps, { metadata: { name: 'a', namespace: 'ns' } }, { dryRun: true, fieldManager: 'me' });
      await client.update(configMaps, object('a') as never);
      await client.patch(pods, key, 'apply', { a: 1 }, { force: true, subresource: 'status' });
      await client.delete(pods, key, { gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
      await client.delete(pods, key);
      await client.deleteCollection(pods, { namespace: 'ns', labelSelector: 'a in (b,c)' });
      await client.createSubresource(pods, key, 'binding', { target: { name: 'n' } });
      expect(seen).toEqual([
        ['GET', '/api/v1/namespaces/ns/configmaps/a', undefined, 'Bearer secret', undefined],
        [
          'POST',
          '/api/v1/namespaces/ns/configmaps?dryRun=All&fieldManager=me',
          'application/json',
          'Bearer secret',
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'ns' } },
        ],
        ['PUT', '/api/v1/namespaces/ns/configmaps/a', 'application/json', 'Bearer secret', object('a')],
        ['PATCH', '/api/v1/namespaces/ns/pods/a/status?force=true', 'application/apply-patch+yaml', 'Bearer secret', { a: 1 }],
        [
          'DELETE',
          '/api/v1/namespaces/ns/pods/a',
          'application/json',
          'Bearer secret',
          { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: 'u' } },
        ],
        ['DELETE', '/api/v1/namespaces/ns/pods/a', undefined, 'Bearer secret', undefined],
        ['DELETE', '/api/v1/namespaces/ns/pods?labelSelector=a+in+%28b%2Cc%29', undefined, 'Bearer secret', undefined],
        ['POST', '/api/v1/namespaces/ns/pods/a/binding', 'application/json', 'Bearer secret', { target: { name: 'n' } }],
      ]);
      expect(connections()).toBeLessThanOrEqual(2); // HTTP/1.1 needs a second one: the first asked for HTTP/2.
    });

    test('errors are StatusErrors, with or without a Status in the body', async () => {
      const { url } = await serve((request, response) => {
        if (request.url?.endsWith('/plain')) {
          response.writeHead(403);
          response.end('<html>go away</html>');
        } else json(response, status(404, 'NotFound', 'configmaps "a" not found'), 404);
      }, protocol);
      const client = connect(url);
      const failure = await client.get(configMaps, { namespace: 'ns', name: 'a' }).catch((error: unknown) => error);
      expect(isNotFound(failure)).toBe(true);
      expect(String(failure)).toContain('configmaps "a" not found');
      const plain = await client.get(configMaps, { namespace: 'ns', name: 'plain' }).catch((error: unknown) => error);
      expect(reasonOf(plain)).toBe('Forbidden');
      expect(isConnectionError(plain)).toBe(false);
    });

    test('a watch gives batches of events, survives split lines, and throws the error that ends it', async () => {
      const long = 'x'.repeat(300_000);
      const event = (type: string, value: unknown) => Buffer.from(`${JSON.stringify({ type, object: value })}\n`);
      const { url } = await serve(async (_request, response) => {
        response.writeHead(200);
        const bytes = Buffer.concat([
          event('ADDED', object('a', '5')),
          event('MODIFIED', { ...object('a', '6'), data: { long, umlaut: 'ä€😀' } }),
          event('ERROR', status(410, 'Expired', 'too old resource version: 1 (7)')),
        ]);
        for (let at = 0; at < bytes.length; at += 4999) {
          response.write(bytes.subarray(at, at + 4999));
          if (at % 10 === 0) await realClock.sleep(0);
        }
        response.end();
      }, protocol);
      const got: string[] = [];
      const watching = (async () => {
        for await (const batch of connect(url).watch(configMaps, { namespace: 'ns', resourceVersion: '1' })) {
          for (const { type, object: value } of batch) {
            got.push(`${type} ${value.metadata.resourceVersion} ${value.data?.['long']?.length ?? ''}${value.data?.['umlaut'] ?? ''}`);
          }
        }
      })();
      const failure = await watching.catch((error: unknown) => error);
      expect(got).toEqual(['ADDED 5 ', 'MODIFIED 6 300000ä€😀']);
      expect(isExpired(failure)).toBe(true);
    });

    test('leaving a watch, and aborting one, closes the request', async () => {
      let closed = 0;
      const { url } = await serve((_request, response) => {
        response.on('close', () => {
          closed += 1;
        });
        response.writeHead(200);
        response.write(`${JSON.stringify({ type: 'ADDED', object: object('a') })}\n`);
      }, protocol);
      const client = connect(url);
      for await (const batch of client.watch(configMaps)) {
        expect(batch).toHaveLength(1);
        break;
      }
      const controller = new AbortController();
      const aborted = (async () => {
        for await (const _batch of client.watch(configMaps, { signal: controller.signal })) controller.abort(new Error('enough'));
      })();
      await expect(aborted).rejects.toThrow('enough');
      while (closed < 2) await realClock.sleep(1);
    });

    test('429 with Retry-After is waited out, and passed on in the end', async () => {
      let calls = 0;
      const { url } = await serve((request, response) => {
        calls += 1;
        const always = request.url?.endsWith('/always') === true;
        if (calls > 3 && !always) json(response, object('a'));
        else json(response, status(429, 'TooManyRequests', 'slow down'), 429, { 'retry-after': '0' });
      }, protocol);
      const client = connect(url);
      await client.get(configMaps, { namespace: 'ns', name: 'a' });
      expect(calls).toBe(4);
      const failure = await client.get(configMaps, { namespace: 'ns', name: 'always' }).catch((error: unknown) => error);
      expect(reasonOf(failure)).toBe('TooManyRequests');
      expect(calls).toBe(15);
    });

    test('a lost connection is made again', async () => {
      const { url, sockets } = await serve((_request, response) => json(response, object('a')), protocol);
      const client = connect(url);
      await client.get(configMaps, { namespace: 'ns', name: 'a' });
      for (const socket of sockets) socket.destroy();
      await client.get(configMaps, { namespace: 'ns', name: 'a' });
    });

    test('a new token is asked for when the server refuses the old one', async () => {
      const tokens: string[] = [];
      const { url } = await serve((request, response) => {
        tokens.push(request.headers.authorization ?? '');
        if (request.headers.authorization === 'Bearer new') json(response, object('a'));
        else json(response, status(401, 'Unauthorized', 'Unauthorized'), 401);
      }, protocol);
      const client = connect(url, { token: async ({ rejected }) => (rejected ? 'new' : 'old') });
      await client.get(configMaps, { namespace: 'ns', name: 'a' });
      expect(tokens).toEqual(['Bearer old', 'Bearer new']);
    });

    test('timeouts and aborts reject, with their reason', async () => {
      const { url } = await serve(() => {}, protocol);
      const key = { namespace: 'ns', name: 'a' };
      const late = await connect(url, { requestTimeoutMs: 20 })
        .get(configMaps, key)
        .catch((error: unknown) => error);
      expect(reasonOf(late)).toBe('Timeout');
      const controller = new AbortController();
      const aborted = connect(url).get(configMaps, key, { signal: controller.signal });
      controller.abort(new Error('enough'));
      await expect(aborted).rejects.toThrow('enough');
    });

    test('raw requests stream, lists of known kinds have typed items, warnings are heard', async () => {
      const { url } = await serve((request, response) => {
        if (request.url === '/version') {
          response.writeHead(200, { 'content-type': 'text/plain' });
          response.write('a');
          response.end('b');
          return;
        }
        const { apiVersion: _apiVersion, kind: _kind, ...item } = object('a');
        const list = { apiVersion: 'v1', kind: 'ConfigMapList', metadata: {}, items: [item] };
        json(response, list, 200, { warning: '299 - "old \\"thing\\"", 299 - "other"' });
      }, protocol);
      const warnings: string[] = [];
      const client = connect(url, { onWarning: (text) => warnings.push(text) });
      const answer = await client.raw({ path: '/version' });
      let text = '';
      for await (const chunk of answer.body) text += Buffer.from(chunk).toString();
      expect([answer.status, answer.headers['content-type'], text]).toEqual([200, 'text/plain', 'ab']);
      const { items } = await client.list<KubeObject>(configMaps);
      expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
      expect(warnings).toEqual(['old "thing"', 'other']);
    });
  });
}

describe('connections', () => {
  test('many requests share one HTTP/2 connection', async () => {
    const { url, connections } = await serve((_request, response) => json(response, object('a')));
    const client = connect(url);
    await Promise.all(Array.from({ length: 200 }, () => client.get(configMaps, { namespace: 'ns', name: 'a' })));
    expect(connections()).toBe(1);
  });

  test('more watches than the server takes on one connection are spread over several', async () => {
    const { url, connections } = await serve(
      (_request, response) => {
        response.writeHead(200);
        response.write(`${JSON.stringify({ type: 'ADDED', object: object('a') })}\n`);
      },
      'h2',
      { maxConcurrentStreams: 3 },
    );
    const client = connect(url);
    const stop = new AbortController();
    let heard = 0;
    const watches = Array.from({ length: 10 }, async () => {
      for await (const _batch of client.watch(configMaps, { signal: stop.signal })) heard += 1;
    });
    const ended = Promise.allSettled(watches);
    while (heard < 10) await realClock.sleep(1);
    expect(connections()).toBe(4);
    stop.abort();
    await ended;
  });

  test('GOAWAY: requests in flight finish, later ones go over a new connection', async () => {
    const held: Response[] = [];
    const { url, sessions, connections } = await serve((request, response) => {
      if (request.url?.endsWith('/held')) held.push(response);
      else json(response, object('a'));
    });
    const client = connect(url);
    const waiting = client.get(configMaps, { namespace: 'ns', name: 'held' });
    while (held.length === 0) await realClock.sleep(1);
    for (const session of sessions) session.goaway(0);
    await realClock.sleep(20);
    await client.get(configMaps, { namespace: 'ns', name: 'a' });
    const [response] = held;
    if (response !== undefined) json(response, object('held'));
    expect((await waiting).metadata.name).toBe('held');
    expect(connections()).toBe(2);
  });

  test('nobody listens: a connection error that names the address', async () => {
    const { url, server } = await serve(() => {});
    server.close();
    const failure = await connect(url)
      .get(configMaps, { namespace: 'ns', name: 'a' })
      .catch((error: unknown) => error);
    expect(isConnectionError(failure)).toBe(true);
    expect(String(failure)).toMatch(/GET https:\/\/127\.0\.0\.1:\d+\/api\/v1\/namespaces\/ns\/configmaps\/a: .*ECONNREFUSED/);
  });

  test('an unknown authority is refused', async () => {
    const { url } = await serve((_request, response) => json(response, object('a')));
    const failure = await connect(url, { ca: undefined })
      .get(configMaps, { namespace: 'ns', name: 'a' })
      .catch((error: unknown) => error);
    expect(String(failure)).toContain('self-signed certificate');
    await connect(url, { ca: undefined, insecureSkipTlsVerify: true }).get(configMaps, { namespace: 'ns', name: 'a' });
  });

  test('upgrade gives the raw connection, first bytes included, or the refusal', async () => {
    const { url, server } = await serve((_request, response) => json(response, status(403, 'Forbidden', 'no'), 403));
    server.on('upgrade', (request, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: v5\r\n\r\nhello',
      );
      socket.on('data', (data: Buffer) => socket.end(`${request.headers['authorization']} ${data}`));
    });
    const transport = newHttpsTransport({ server: url, ca: testCertificate.cert, token: 't' });
    const { stream, headers } = await transport.upgrade({ path: '/exec', headers: { connection: 'Upgrade', upgrade: 'websocket' } });
    expect(headers['sec-websocket-protocol']).toBe('v5');
    stream.write('ping');
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect(text).toBe('helloBearer t ping');
    await expect(transport.upgrade({ path: '/exec' })).rejects.toThrow('no');
  });
});
