import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { newNotFound } from '@orrery/apimachinery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newTestAuthority } from '../testing/certificates.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import type { Connector, ConnectRequest, ConnectTarget } from './connector.ts';

let kubelet: Server;
let api: TestServer;
let upgraded: (socket: Duplex, request: IncomingMessage) => void;
const connected: ConnectRequest[] = [];

const authority = await newTestAuthority('kubelet-ca');
const [serving, identity] = await Promise.all([
  authority.issue({ user: 'node', server: true }),
  authority.issue({ user: 'kube-apiserver' }),
]);

const pods = (subresource: string, target: (request: ConnectRequest) => Partial<ConnectTarget>): Connector => ({
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource,
  methods: ['GET', 'POST', 'PUT', 'DELETE', 'HEAD'],
  connect(request) {
    connected.push(request);
    if (request.name === 'none') throw newNotFound({ group: '', resource: 'pods' }, 'none');
    const { port } = kubelet.address() as AddressInfo;
    const tls = { ca: authority.cert, ...identity };
    const query = request.rawQuery === '' ? '' : `?${request.rawQuery}`;
    return Promise.resolve({ protocol: 'https', host: '127.0.0.1', port, tls, path: `/${request.name}${query}`, ...target(request) });
  },
});

beforeAll(async () => {
  kubelet = createTlsServer({ ...serving, ca: authority.cert, requestCert: true, rejectUnauthorized: true, allowHalfOpen: true } as object);
  kubelet.on('request', (request, response) => {
    const who = (request.socket as TLSSocket).getPeerCertificate().subject.CN;
    if (request.url?.startsWith('/fail')) response.writeHead(Number(request.url.slice(5))).end('words of the kubelet');
    else if (request.url?.startsWith('/page'))
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p><a href="/x">x</a>');
    else if (request.url?.startsWith('/moved')) response.writeHead(302, { location: '/there/' }).end();
    else if (request.url?.startsWith('/echo')) {
      response.writeHead(200, { 'content-type': 'text/plain', 'x-who': who, 'x-seen': JSON.stringify(request.headers) });
      request.pipe(response);
    } else response.end(`${request.method} ${request.url}`);
  });
  kubelet.on('upgrade', (request, socket) => {
    if (request.url?.startsWith('/refuse')) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nno!');
      return;
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: v5\r\n\r\n');
    upgraded(socket, request);
  });
  kubelet.listen(0, '127.0.0.1');
  await once(kubelet, 'listening');
  api = await startTestServer({
    connectors: [
      pods('log', () => ({ errors: 'status' })),
      pods('exec', () => ({})),
      pods('proxy', ({ path, name, namespace, rawQuery }) => ({
        path: path === '' ? '' : `${path}${rawQuery === '' ? '' : `?${rawQuery}`}`,
        rewriteBelow: `/api/v1/namespaces/${namespace}/pods/${name}/proxy`,
      })),
      pods('dead', () => ({ port: 1 })),
    ],
  });
});
afterAll(async () => {
  await api.close();
  kubelet.closeAllConnections();
  kubelet.close();
});

const base = '/api/v1/namespaces/a/pods';

describe('plain requests', () => {
  test('the target sees who connects, the query and the body, but not the credentials', async () => {
    const body = randomBytes(300_000).toString('hex');
    const headers = { authorization: 'Bearer secret', 'x-own': 'kept', connection: 'keep-alive, x-drop', 'x-drop': '1' };
    const answer = await api.ask(`${base}/echo/log?follow=true`, { method: 'POST', body, headers });
    expect([answer.status, answer.text === body, answer.headers['x-who']]).toEqual([200, true, 'kube-apiserver']);
    const seen = JSON.parse(String(answer.headers['x-seen'])) as Record<string, string>;
    expect(seen).toMatchObject({ 'x-own': 'kept', 'x-forwarded-for': '127.0.0.1' });
    expect([seen['authorization'], seen['x-drop']]).toEqual([undefined, undefined]);
    expect(connected.at(-1)).toMatchObject({
      namespace: 'a',
      name: 'echo',
      path: '',
      rawQuery: 'follow=true',
      user: { username: 'admin' },
    });
  });

  const refusals = [
    { pod: 'fail404', code: 404, reason: 'NotFound', message: 'the server could not find the requested resource ( pods/log fail404)' },
    { pod: 'fail400', code: 400, reason: 'BadRequest', message: 'words of the kubelet' },
    { pod: 'fail500', code: 500, reason: 'InternalError', message: 'Internal error occurred: words of the kubelet' },
    { pod: 'none', code: 404, reason: 'NotFound', message: 'pods "none" not found' },
  ];
  for (const { pod, code, reason, message } of refusals) {
    test(`${pod}: a Status`, async () => {
      expect((await api.ask(`${base}/${pod}/log`)).json()).toMatchObject({ kind: 'Status', code, reason, message });
    });
  }

  test('a target that is not there', async () => {
    const answer = await api.ask(`${base}/x/dead`);
    expect([answer.status, answer.json()['message']]).toEqual([503, expect.stringMatching(/^error trying to reach service: /)]);
  });

  test('a method that the subresource has not', async () => {
    expect((await api.ask(`${base}/x/log`, { method: 'PATCH' })).status).toBe(405);
  });

  test('a proxy keeps codes and escapes, and moves links and redirects', async () => {
    const bare = await api.ask(`${base}/web/proxy?a=b`);
    expect([bare.status, bare.headers.location]).toEqual([301, `${base}/web/proxy/?a=b`]);
    expect((await api.ask(`${base}/web/proxy/a%20b//c?d=%2F`)).text).toBe('GET /a%20b//c?d=%2F');
    expect((await api.ask(`${base}/web/proxy/page`)).text).toBe(`<p><a href="${base}/web/proxy/x">x</a>`);
    const moved = await api.ask(`${base}/web/proxy/moved`);
    expect([moved.status, moved.headers.location]).toEqual([302, `${base}/web/proxy/there/`]);
    const failed = await api.ask(`${base}/web/proxy/fail418`);
    expect([failed.status, failed.text]).toEqual([418, 'words of the kubelet']);
  });
});

const upgrade = (path: string, headers: Record<string, string> = {}): Promise<{ socket: Duplex; answer: IncomingMessage }> =>
  new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: '127.0.0.1',
      port: api.port,
      path,
      ca: api.authority.cert,
      ...api.admin,
      agent: false,
      allowHalfOpen: true,
      headers: { connection: 'Upgrade', upgrade: 'websocket', ...headers },
    } as object);
    request.on('upgrade', (answer, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ socket, answer });
    });
    request.on('response', (answer) => resolve({ socket: answer.socket, answer }));
    request.on('error', reject);
    request.end();
  });

const digestOf = (stream: Duplex): Promise<string> =>
  new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    stream.on('data', (chunk: Buffer) => hash.update(chunk));
    stream.once('end', () => resolve(hash.digest('hex')));
    stream.once('error', reject);
  });

describe('upgrades', () => {
  test('100 MB each way arrive whole, and one side may end before the other', async () => {
    const block = randomBytes(1024 * 1024);
    const want = createHash('sha256');
    for (let index = 0; index < 100; index++) want.update(block);
    const digest = want.digest('hex');
    const pour = async (socket: Duplex): Promise<void> => {
      for (let index = 0; index < 100; index++) if (!socket.write(block)) await once(socket, 'drain');
    };
    const far = new Promise<string>((resolve, reject) => {
      upgraded = (socket) => {
        digestOf(socket).then(async (received) => {
          await pour(socket); // Only after the client has ended its side.
          socket.end();
          resolve(received);
        }, reject);
      };
    });
    const token = Buffer.from('abc').toString('base64url');
    const { socket, answer } = await upgrade(`${base}/c/exec?command=sh`, {
      'sec-websocket-protocol': `base64url.bearer.authorization.k8s.io.${token}, v5`,
    });
    expect([answer.statusCode, answer.headers['sec-websocket-protocol']]).toEqual([101, 'v5']);
    const received = digestOf(socket);
    await pour(socket);
    socket.end();
    expect([await far, await received]).toEqual([digest, digest]);
  });

  test('the token in the subprotocols does not reach the target', async () => {
    const seen = new Promise<IncomingMessage>((resolve) => {
      upgraded = (socket, request) => {
        resolve(request);
        socket.end();
      };
    });
    const { socket } = await upgrade(`${base}/c/exec`, { 'sec-websocket-protocol': 'base64url.bearer.authorization.k8s.io.YWJj, v5, v4' });
    expect((await seen).headers['sec-websocket-protocol']).toBe('v5, v4');
    socket.destroy();
  });

  test('a refusal of the target is the answer', async () => {
    const { answer } = await upgrade(`${base}/refuse/exec`);
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    expect([answer.statusCode, Buffer.concat(chunks).toString()]).toEqual([403, 'no!']);
  });

  test('refused here: a Status', async () => {
    const { answer } = await upgrade(`${base}/none/exec`);
    expect(answer.statusCode).toBe(404);
    answer.destroy();
  });

  test('a lost client is noticed by the target, and the other way round', async () => {
    const ended = new Promise<void>((resolve) => {
      upgraded = (socket) => {
        socket.on('error', () => undefined).on('data', () => undefined);
        socket.once('end', () => {
          socket.end();
          resolve();
        });
      };
    });
    const { socket } = await upgrade(`${base}/c/exec`);
    socket.destroy();
    await ended;
    upgraded = (far) => far.once('data', () => far.destroy());
    const other = await upgrade(`${base}/c/exec`);
    other.socket.write('x');
    await once(other.socket.on('error', () => undefined).resume(), 'end');
    other.socket.destroy();
  });
});

test('a target in plain HTTP', async () => {
  const plain = createServer((request, response) => response.end(request.url));
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const { port } = plain.address() as AddressInfo;
  const other = await startTestServer({ connectors: [pods('proxy', ({ path }) => ({ protocol: 'http', port, path }))] });
  expect((await other.ask(`${base}/x/proxy/deep/path/`)).text).toBe('/deep/path/');
  await other.close();
  plain.close();
});
