import { request as httpRequest } from 'node:http';
import { deployments, pods, serviceAccounts } from '@orrery/api';
import type { Deployment } from '@orrery/api/apps/v1';
import type { Pod } from '@orrery/api/core/v1';
import { StatusError } from '@orrery/apimachinery';
import type { Transport } from '@orrery/client';
import { type Dashboard, openDashboard } from '@orrery/dashboard';
import { startCluster, type TestCluster } from '@orrery/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { createDeployment, createNode, createPod, statuses, withAnswers } from './objects.ts';

let cluster: TestCluster;
let dashboard: Dashboard;
let base: string;
let token: string;
let stopped = 0;

beforeAll(async () => {
  cluster = await startCluster({ controllers: false, scheduler: false });
  const { client } = cluster;
  await client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } });
  await createNode(client, 'n1');
  await createPod(client, { name: 'web', node: 'n1' }, statuses.running);
  await createDeployment(client, 'shop', 2);
  const transport = withAnswers(client.transport, (path) => (path.includes('/pods/web/log?') ? `log of ${path}\n` : undefined));
  const stop = async (): Promise<void> => {
    stopped += 1;
  };
  dashboard = await openDashboard({ clusters: [{ name: 'east', transport, stop }] });
  [base = '', token = ''] = dashboard.url.split('/#');
});
afterAll(async () => {
  await dashboard?.close();
  await cluster?.dispose();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** fetch sets Host and Origin itself; an attacker's program does not. */
function ask(method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(`${base}${path}`, { method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function enter(): Promise<Record<string, string>> {
  const { status, headers, text } = await ask('POST', '/api/enter', { origin: base }, token);
  expect(status).toBe(200);
  const [cookie = ''] = headers['set-cookie'] ?? [];
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
  return { origin: base, cookie: cookie.split(';')[0] ?? '', 'x-orrery-key': (JSON.parse(text) as { key: string }).key };
}

describe('who may ask', () => {
  test('the page itself holds no secret, loads nothing from elsewhere, and is framed by nobody', async () => {
    const { status, headers, text } = await ask('GET', '/');
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
    expect(text).not.toContain(token);
    expect((await ask('GET', '/page.js')).text).not.toContain('http://fonts');
    expect((await ask('GET', '/../package.json')).status).toBe(404);
  });
  test.each([
    ['no token', { origin: true }, 'x', 401],
    ['another host name (DNS rebinding)', { origin: true, host: 'evil.example' }, 'token', 403],
    ['a foreign origin', { foreign: true }, 'token', 403],
    ['no origin', {}, 'token', 403],
  ] as const)('entering with %s is refused', async (_name, given, body, wanted) => {
    const headers: Record<string, string> = {};
    if ('origin' in given) headers['origin'] = base;
    if ('foreign' in given) headers['origin'] = 'http://evil.example';
    if ('host' in given) headers['host'] = given.host;
    expect((await ask('POST', '/api/enter', headers, body === 'token' ? token : body)).status).toBe(wanted);
  });
  test('cookie and key are both asked for, of readers too', async () => {
    const { cookie = '', 'x-orrery-key': key = '' } = await enter();
    expect((await ask('GET', '/api/stream', { cookie })).status).toBe(401);
    expect((await ask('GET', '/api/stream', { 'x-orrery-key': key })).status).toBe(401);
    expect((await ask('POST', '/api/action', { origin: base, cookie }, '{}')).status).toBe(401);
    expect((await ask('GET', '/api/log?id=0:x', { cookie })).status).toBe(401);
  });
  test("another site's script is refused though the browser sends the cookie; a link to the page is not", async () => {
    const admitted = await enter();
    expect((await ask('GET', '/api/stream', { ...admitted, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await ask('GET', '/api/stream', { ...admitted, 'sec-fetch-site': 'same-site' })).status).toBe(403);
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await ask('GET', '/', link)).status).toBe(200);
    expect((await ask('GET', '/', { ...link, 'sec-fetch-dest': 'iframe' })).status).toBe(403);
  });
  test('a body without end is cut off', async () => {
    expect((await ask('POST', '/api/action', await enter(), 'x'.repeat(100_000))).status).toBe(400);
  });
});

/** Ids as the page learns them. */
async function idOf(name: string): Promise<string> {
  const abort = new AbortController();
  try {
    const response = await fetch(`${base}/api/stream`, { headers: await enter(), signal: abort.signal });
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      const found = new RegExp(`"id":"(0:[^"]+)","cluster":0,"name":"${name}"`).exec(text)?.[1];
      if (found !== undefined) return found;
    }
    throw new Error(`${name} was not told`);
  } finally {
    abort.abort();
  }
}
const act = async (action: object): Promise<Answer> => ask('POST', '/api/action', await enter(), JSON.stringify(action));

describe('what the page does', () => {
  test('scales', async () => {
    const id = await eventually(() => idOf('shop'));
    const { status, text } = await act({ action: 'scale', cluster: 0, id, replicas: 5 });
    expect([status, JSON.parse(text)]).toEqual([200, { ok: true, message: 'Deployment shop is scaled to 5' }]);
    expect((await cluster.client.get<Deployment>(deployments, { namespace: 'default', name: 'shop' })).spec?.replicas).toBe(5);
  });
  test('restarts, as kubectl does', async () => {
    expect((await act({ action: 'restart', cluster: 0, id: await idOf('shop') })).status).toBe(200);
    const { spec } = await cluster.client.get<Deployment>(deployments, { namespace: 'default', name: 'shop' });
    expect(spec?.template?.metadata?.annotations?.['kubectl.kubernetes.io/restartedAt']).toMatch(/^20\d\d-/);
  });
  test('deletes the pod that was shown, never one that came under its name', async () => {
    await cluster.client.delete(pods, { namespace: 'default', name: 'gone' }, { gracePeriodSeconds: 0 }).catch(() => undefined);
    await createPod(cluster.client, { name: 'gone', node: 'n1' }, statuses.running);
    const id = await eventually(() => idOf('gone'));
    expect((await act({ action: 'delete', cluster: 0, id })).status).toBe(200);
    const { metadata } = await cluster.client.get<Pod>(pods, { namespace: 'default', name: 'gone' });
    expect(metadata.deletionTimestamp).toBeDefined();
    await cluster.client.delete(pods, { namespace: 'default', name: 'gone' }, { gracePeriodSeconds: 0 });
    const another = await createPod(cluster.client, { name: 'gone', node: 'n1' }, statuses.running);
    expect((await act({ action: 'delete', cluster: 0, id })).status).toBe(422);
    const now = await cluster.client.get<Pod>(pods, { namespace: 'default', name: 'gone' });
    expect([now.metadata.uid, now.metadata.deletionTimestamp]).toEqual([another.metadata.uid, undefined]);
  });
  test('stops a run', async () => {
    expect((await act({ action: 'stop', cluster: 0 })).status).toBe(200);
    expect(stopped).toBeGreaterThan(0);
  });
  test('follows a log; of no container that the pod has not', async () => {
    const id = await idOf('web');
    const log = await ask('GET', `/api/log?id=${id}&container=main`, await enter());
    expect(log.text).toBe('log of /api/v1/namespaces/default/pods/web/log?container=main&tailLines=1000&timestamps=true&follow=true\n');
    expect((await ask('GET', `/api/log?id=${id}&container=..%2F..`, await enter())).status).toBe(404);
  });
  test.each([
    ['nothing', {}, 400],
    ['no such action', { action: 'exec', cluster: 0, id: '0:x' }, 400],
    ['half a replica', { action: 'scale', cluster: 0, id: '0:x', replicas: 0.5 }, 400],
    ['an id of nothing', { action: 'delete', cluster: 0, id: '0:x' }, 422],
    ['a cluster that is not here', { action: 'stop', cluster: 9 }, 422],
  ])('%s is refused', async (_name, action, wanted) => expect((await act(action)).status).toBe(wanted));
});

test('polls stop when nobody looks', async () => {
  await eventually(() => expect(dashboard.viewers).toBe(0));
  const abort = new AbortController();
  const response = await fetch(`${base}/api/stream`, { headers: await enter(), signal: abort.signal });
  expect([response.status, dashboard.viewers]).toEqual([200, 1]);
  abort.abort();
  await eventually(() => expect(dashboard.viewers).toBe(0));
});

test('what the user may not list is named, the rest is shown', async () => {
  const { client } = cluster;
  const forbidden = new StatusError('Forbidden', 'nodes is forbidden: User "dev" cannot list resource "nodes"');
  const { transport: whole } = client;
  const transport: Transport = {
    ...whole,
    send: (request, signal) => (request.resource === 'nodes' ? Promise.reject(forbidden) : whole.send(request, signal)),
    async *watch(request, signal) {
      if (request.resource === 'nodes') throw forbidden;
      yield* whole.watch(request, signal);
    },
  };
  const limited = await openDashboard({ clusters: [{ name: 'limited', transport, namespace: 'default' }] });
  try {
    const [origin = '', secret = ''] = limited.url.split('/#');
    const entered = await fetch(`${origin}/api/enter`, { method: 'POST', headers: { origin }, body: secret });
    const { key } = (await entered.json()) as { key: string };
    const headers = { cookie: (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? '', 'x-orrery-key': key };
    const abort = new AbortController();
    const response = await fetch(`${origin}/api/stream`, { headers, signal: abort.signal });
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('nodes is forbidden') && text.includes('"name":"web"')) break;
    }
    abort.abort();
    expect(text).not.toContain('"kind":"node"');
  } finally {
    await limited.close();
  }
});
