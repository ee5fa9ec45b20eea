import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { newVirtualClock } from '@orrery/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newTokenAuthenticator } from '../authentication/bearer-token.ts';
import { newTestAuthority } from './testing/certificates.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
const rejections: unknown[] = [];
const remember = (reason: unknown): void => void rejections.push(reason);
beforeAll(async () => {
  process.on('unhandledRejection', remember);
  server = await startTestServer({
    limits: { headersTimeoutMs: 300, readsInFlightMax: 2, watchesMax: 2, headerBytesMax: 16 * 1024 },
    authenticators: [
      newTokenAuthenticator('test', (token) => {
        if (token === 'broken') throw new Error('secret reason');
        return token === 'good' ? { user: { username: 'bob', groups: [] } } : undefined;
      }),
    ],
  });
});
afterAll(async () => {
  expect((await server.ask('/livez')).text).toBe('ok'); // Whatever was thrown at it, it lives.
  await server.close();
  process.removeListener('unhandledRejection', remember);
  expect(rejections).toEqual([]);
});

const rawConnection = async (): Promise<TLSSocket> => {
  const socket = connectTls({
    host: '127.0.0.1',
    port: server.port,
    ca: server.authority.cert,
    ...server.admin,
    ALPNProtocols: ['http/1.1'],
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
};
/** Everything the server says to these bytes until it closes the connection. */
const say = async (bytes: string): Promise<string> => {
  const socket = await rawConnection();
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write(bytes);
  await once(socket, 'close');
  return text;
};

describe('who asks', () => {
  test('nobody sees health and version, and nothing else', async () => {
    const codes = await Promise.all(
      ['/healthz', '/livez', '/readyz', '/readyz/ping', '/version', '/metrics', '/api/v1/pods', '/', '/nothing'].map(
        async (path) => (await server.ask(path, { as: 'nobody' })).status,
      ),
    );
    expect(codes).toEqual([200, 200, 200, 200, 200, 401, 401, 401, 401]);
    expect((await server.ask('/api', { as: 'nobody' })).json()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    });
  });

  test('a token that is known, unknown or broken', async () => {
    const as = async (token: string, path = '/api/v1/namespaces/default/pods') =>
      server.ask(path, { as: 'nobody', headers: { authorization: `Bearer ${token}` } });
    const known = await as('good');
    expect([known.status, known.json()['message']]).toEqual([
      403,
      'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"',
    ]);
    expect((await as('unknown', '/healthz')).status).toBe(401);
    const broken = await as('broken');
    expect([broken.status, broken.text.includes('secret')]).toEqual([401, false]);
  });

  test('a certificate of another authority, or one that has expired, is refused', async () => {
    const other = await (await newTestAuthority('test-ca')).issue({ user: 'admin', groups: ['system:masters'] });
    expect((await server.ask('/version', { as: other })).status).toBe(401);
    const expired = await server.authority.issue({ user: 'admin', groups: ['system:masters'], validMs: -1000 });
    expect((await server.ask('/version', { as: expired })).status).toBe(401);
    const serving = await server.authority.issue({ user: 'admin', groups: ['system:masters'], server: true });
    expect((await server.ask('/version', { as: serving })).status).toBe(401);
  });
});

describe('routes', () => {
  const cases = [
    ['GET', '/nothing', 404],
    ['GET', '/api/v1/widgets', 404],
    ['GET', '/api/v1/pods/x', 404],
    ['GET', '/api/v1/namespaces/a/namespaces', 404],
    ['GET', '/api/v1/namespaces/a/pods/x/y/z', 404],
    ['POST', '/api/v1/pods', 405],
    ['PUT', '/api/v1/namespaces/a/pods', 405],
    ['POST', '/api/v1/namespaces/a/pods/x', 405],
    ['OPTIONS', '/api/v1/pods', 405],
    ['POST', '/version', 405],
    ['GET', '/api/v1/watch', 400],
    ['GET', '/%zz', 400],
    ['GET', '/api/v1/pods?limit=x', 400],
    ['GET', '/version?timeout=x', 400],
    ['GET', '/api/v1/namespaces/a/pods/%2e%2e%2f%2e%2e', 404],
  ] as const;
  for (const [method, path, code] of cases) {
    test(`${method} ${path} is ${code}`, async () => {
      const answer = await server.ask(path, { method });
      expect([answer.status, answer.json()['kind'], answer.json()['code']]).toEqual([code, 'Status', code]);
    });
  }
});

test('made-up paths, resources and subresources make no series of metrics', async () => {
  await server.ask('/made-up-path/x');
  await server.ask('/api/v1/namespaces/a/made-up-resources/x');
  await server.ask('/api/v1/namespaces/a/pods/x/made-up-part', { as: 'nobody' });
  await server.ask('/api/v1/watch/pods/made-up-name/made-up-part');
  expect((await server.ask('/metrics')).text).not.toContain('made-up');
});

test('HEAD of a watch is refused: it would never end', async () => {
  expect((await server.ask('/api/v1/pods?watch=1', { method: 'HEAD' })).status).toBe(405);
});

describe('what is no HTTP', () => {
  const cases = [
    { name: 'noise', bytes: '\x00\x01\x02 hello\r\n\r\n', code: 400 },
    { name: 'too many headers', bytes: `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, code: 431 },
    { name: 'a path too long', bytes: `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, code: 431 },
    {
      name: 'two lengths',
      bytes: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      code: 400,
    },
    { name: 'headers that never end', bytes: 'GET / HTTP/1.1\r\nHost: x\r\nX-', code: 408 },
  ];
  for (const { name, bytes, code } of cases) {
    test(name, async () => {
      const answer = await say(bytes);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
      expect(answer).toContain('"kind":"Status"');
    });
  }

  test('a client that breaks off in the middle of a body', async () => {
    const socket = await rawConnection();
    socket.write('POST /api/v1/namespaces/a/pods HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{');
    socket.destroy();
  });
});

test('an upgrade that comes before the last answer has left waits for it', async () => {
  const upgrade = 'GET /version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const text = await say(`GET /version HTTP/1.1\r\nHost: x\r\n\r\n${upgrade}`);
  expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
});

test('an upgrade that nobody asked for is not made: the request is answered as it is', async () => {
  for (const upgrade of ['h2c', 'SPDY/3.1', 'websocket']) {
    const answer = await say(`GET /version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
    expect(answer).toContain('"major": "1"');
  }
  const refused = await say('GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
  expect(refused).toMatch(/^HTTP\/1.1 400 [\s\S]*a watch can be upgraded to websocket alone/);
  const keyless = await say('GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  expect(keyless).toMatch(/^HTTP\/1.1 400 [\s\S]*"kind": ?"Status"[\s\S]*Sec-WebSocket-Key is missing or invalid/);
});

describe('too much at once', () => {
  test('reads and watches over the limit are told to come back', async () => {
    const watches = await Promise.all([server.open('/api/v1/pods?watch=1'), server.open('/api/v1/pods?watch=1')]);
    const third = await server.ask('/api/v1/pods?watch=1');
    expect([third.status, third.headers['retry-after'], third.json()['reason']]).toEqual([429, '1', 'TooManyRequests']);
    for (const watch of watches) watch.on('error', () => undefined).destroy();
    await expect.poll(() => server.handler.watches).toBe(0);
  });

  test('rapid resets of one connection do not hurt another', async () => {
    const session = server.http2();
    session.on('error', () => undefined);
    const closed = once(session, 'close');
    for (let index = 0; index < 2000 && !session.destroyed; index++) {
      const stream = session.request({ ':path': '/api/v1/pods' });
      stream.on('error', () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await server.ask('/livez')).status).toBe(200);
    session.destroy();
    await closed;
  });
});

describe('deadlines', () => {
  test('a request that takes too long is a 504, and its work is told', async () => {
    const clock = newVirtualClock();
    const slow = await startTestServer({ clock });
    let aborted = false;
    slow.handler.next = (_call, signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => undefined);
    };
    const asked = slow.ask('/api/v1/pods?timeout=5s');
    await expect.poll(() => slow.handler.calls.length).toBe(1);
    await clock.advance(5_000);
    const answer = await asked;
    expect([answer.status, answer.json()]).toEqual([
      504,
      expect.objectContaining({ reason: 'Timeout', message: 'Timeout: request did not complete within the allotted timeout' }),
    ]);
    expect(aborted).toBe(true);
    slow.handler.next = () => Promise.reject(new TypeError('a bug'));
    const bug = await slow.ask('/api/v1/pods');
    expect([bug.status, bug.json()['message']]).toEqual([500, 'Internal error occurred: a bug']);
    await slow.close();
  });
});
