import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type KubeObject, StatusError } from '@orrery/apimachinery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const configMap = (name: string, data: Record<string, string> = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'a' }, data }) as unknown as KubeObject;
const json = { 'content-type': 'application/json' };

describe('objects over HTTP/1.1', () => {
  test('create, get, list and delete', async () => {
    const created = await server.ask('/api/v1/namespaces/a/configmaps', {
      method: 'POST',
      headers: json,
      body: JSON.stringify(configMap('x', { k: 'ü' })),
    });
    expect(created.status).toBe(201);
    expect(created.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
      'audit-id': expect.any(String),
    });
    expect(created.json()).toMatchObject({ metadata: { name: 'x' }, data: { k: 'ü' } });
    expect((await server.ask('/api/v1/namespaces/a/configmaps/x')).json()).toMatchObject({ data: { k: 'ü' } });
    expect((await server.ask('/api/v1/namespaces/a/configmaps')).json()).toMatchObject({
      kind: 'ConfigMapList',
      items: [{ metadata: { name: 'x' } }],
    });
    const deleted = await server.ask('/api/v1/namespaces/a/configmaps/x', { method: 'DELETE' });
    expect([deleted.status, deleted.headers['warning']]).toEqual([200, '299 - "gone"']);
  });

  test('an error is a Status with its code', async () => {
    const answer = await server.ask('/api/v1/namespaces/a/configmaps/none');
    expect(answer.status).toBe(404);
    expect(answer.json()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'configmaps "none" not found',
      reason: 'NotFound',
      details: { name: 'none', kind: 'configmaps' },
      code: 404,
    });
  });

  test('HEAD has the headers of GET and no body', async () => {
    const answer = await server.ask('/version', { method: 'HEAD' });
    expect([answer.status, answer.text, Number(answer.headers['content-length']) > 0]).toEqual([200, '', true]);
  });
});

describe('HTTP/2', () => {
  test('many streams of one connection', async () => {
    const session = server.http2();
    const get = async (path: string): Promise<[number, string]> => {
      const stream = session.request({ ':path': path });
      let text = '';
      let status = 0;
      stream.on('response', (headers) => (status = headers[':status'] ?? 0));
      stream.setEncoding('utf8');
      for await (const chunk of stream as AsyncIterable<string>) text += chunk;
      return [status, text];
    };
    const answers = await Promise.all([get('/version'), get('/api/v1/configmaps'), get('/nothing')]);
    expect(answers.map(([status]) => status)).toEqual([200, 200, 404]);
    session.close();
  });

  for (const how of ['the stream', 'the connection']) {
    test(`a client that drops ${how} ends its watches`, async () => {
      const session = server.http2();
      const streams = Array.from({ length: 5 }, () => session.request({ ':path': '/api/v1/configmaps?watch=1' }));
      await Promise.all(streams.map((stream) => once(stream, 'response')));
      expect(server.handler.watches).toBe(5);
      for (const stream of streams) stream.on('error', () => undefined);
      if (how === 'the connection') session.destroy();
      else for (const stream of streams) stream.close(8);
      await expect.poll(() => server.handler.watches).toBe(0);
      session.close();
    });
  }
});

test('warnings in any language arrive as UTF-8, over both protocols', async () => {
  const warn = (): void => {
    server.handler.next = () => Promise.resolve({ type: 'value', code: 200, value: {}, warnings: ['über', 'zwei'] });
  };
  const utf8 = (value: unknown): string => Buffer.from(String(value), 'latin1').toString('utf8');
  warn();
  expect(utf8((await server.ask('/api/v1/configmaps')).headers['warning'])).toBe('299 - "über", 299 - "zwei"');
  warn();
  const session = server.http2();
  const [headers] = (await once(session.request({ ':path': '/api/v1/configmaps' }).resume(), 'response')) as [Record<string, string>];
  expect(utf8(headers['warning'])).toBe('299 - "über", 299 - "zwei"');
  session.close();
});

describe('metrics', () => {
  test("requests, watches and the process under upstream's names", async () => {
    const watch = await server.open('/api/v1/configmaps?watch=1');
    await server.ask('/api/v1/configmaps');
    const { text } = await server.ask('/metrics');
    expect(text).toMatch(
      /^apiserver_request_total\{verb="LIST",.*resource="configmaps",.*scope="cluster",component="apiserver",code="200"\} [1-9]/m,
    );
    expect(text).toMatch(/^apiserver_request_duration_seconds_bucket\{verb="LIST",.*le="0.005"\} /m);
    expect(text).toContain('apiserver_registered_watchers{group="",version="v1",resource="configmaps"} 1\n');
    expect(text).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 1\n');
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    watch.on('error', () => undefined).destroy();
    await expect.poll(() => server.handler.watches).toBe(0);
  });
});

describe('watch', () => {
  test('headers come at once, events as lines, an error as the last one', async () => {
    const response = await server.open('/api/v1/configmaps?watch=true');
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'application/json']);
    const lines = response.setEncoding('utf8')[Symbol.asyncIterator]();
    server.handler.emit({ type: 'ADDED', object: configMap('w') }, { type: 'MODIFIED', object: configMap('w') });
    const first = await lines.next();
    expect(
      String(first.value)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).type),
    ).toEqual(['ADDED', 'MODIFIED']);
    server.handler.breakWatches(new StatusError('Expired', 'too old'));
    const last = await lines.next();
    expect(JSON.parse(String(last.value))).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
    expect((await lines.next()).done).toBe(true);
  });

  test('a refused watch is an HTTP error, an expired start an event', async () => {
    expect((await server.ask('/api/v1/configmaps?watch=1&resourceVersion=x')).status).toBe(400);
    const expired = await server.ask('/api/v1/configmaps?watch=1&resourceVersion=1');
    expect([expired.status, expired.json()['type']]).toEqual([200, 'ERROR']);
  });

  test('ends when the client leaves, and when the server closes', async () => {
    const leaving = await server.open('/api/v1/configmaps?watch=true');
    expect(server.handler.watches).toBe(1);
    leaving.on('error', () => undefined).destroy();
    await expect.poll(() => server.handler.watches).toBe(0);
    const other = await startTestServer();
    const watching = await other.open('/api/v1/configmaps?watch=true');
    const ended = once(watching.resume(), 'end');
    await other.server.close();
    await ended;
    expect(watching.complete).toBe(true);
    await other.close();
  });
});

test('more addresses lead to the same server, and end with it', async () => {
  const second = await startTestServer({ moreHosts: ['127.0.0.2'] });
  const tls = { ca: second.authority.cert, ...second.admin, checkServerIdentity: () => undefined };
  const statusAt = (host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const request = httpsRequest({ ...tls, host, port: second.port, path: '/version', agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.end();
    });
  expect(await statusAt('127.0.0.2')).toBe(200);
  await second.close();
  await expect(statusAt('127.0.0.2')).rejects.toThrow('ECONNREFUSED');
});

test('with one address that it cannot have it listens nowhere', async () => {
  const port = await freePort();
  await expect(startTestServer({ port, moreHosts: ['192.0.2.1'] })).rejects.toThrow('EADDRNOTAVAIL');
  const socket = connect(port, '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toContain('ECONNREFUSED');
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
