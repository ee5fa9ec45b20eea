import type { IncomingMessage } from 'node:http';
import { newVirtualClock } from '@orrery/base';
import type { Client } from '@orrery/client';
import { silentLogger } from '@orrery/component';
import { expect, test } from 'vitest';
import { attributesOf, newRequestGate } from './request-gate.ts';

test.each([
  ['GET', 'stats/summary', 'get', ['stats']],
  ['GET', 'metrics/probes', 'get', ['metrics']],
  ['GET', 'logs/syslog', 'get', ['log']],
  ['GET', 'healthz', 'get', ['healthz', 'proxy']],
  ['GET', 'pods', 'get', ['pods', 'proxy']],
  ['GET', 'configz', 'get', ['configz', 'proxy']],
  ['GET', 'containerLogs/ns/pod/c', 'get', ['proxy']],
  ['POST', 'exec/ns/pod/c', 'create', ['proxy']],
  ['GET', 'exec/ns/pod/c', 'create', ['proxy']],
  ['GET', 'portForward/ns/pod', 'create', ['proxy']],
] as const)('%s /%s is %s of %j', (method, path, verb, subresources) => {
  expect(attributesOf(method, path.split('/'))).toEqual({ verb, subresources });
});

interface Asked {
  readonly kind: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

function gate(answer: (asked: Asked) => object) {
  const asked: Asked[] = [];
  const clock = newVirtualClock();
  const client = {
    async create({ kind }: { kind: string }, { spec }: { spec: Asked['spec'] }) {
      asked.push({ kind, spec });
      return { status: answer({ kind, spec }) };
    },
  } as unknown as Client;
  return { asked, clock, gate: newRequestGate({ client, clock, log: silentLogger, nodeName: 'n1' }) };
}
const request = (url: string, from: { subject?: object; token?: string } = {}): IncomingMessage =>
  ({
    method: 'GET',
    url,
    headers: from.token === undefined ? {} : { authorization: `Bearer ${from.token}` },
    socket: { authorized: from.subject !== undefined, getPeerCertificate: () => ({ subject: from.subject }) },
  }) as unknown as IncomingMessage;

test('nobody in particular is refused; who may do everything is not looked up', async () => {
  const { gate: own, asked } = gate(() => ({}));
  await expect(own.admit(request('/pods'))).rejects.toMatchObject({ status: 401, message: 'Unauthorized' });
  await own.admit(request('/pods', { subject: { CN: 'admin', O: ['other', 'system:masters'] } }));
  expect(asked).toEqual([]);
});

test('a certificate’s subject is asked about, the finest right first; answers are kept for a while', async () => {
  const {
    gate: own,
    asked,
    clock,
  } = gate(({ spec }) => ({
    allowed: (spec['resourceAttributes'] as { subresource: string }).subresource === 'proxy',
  }));
  const node = request('/pods?x=1', { subject: { CN: 'system:node:n2', O: 'system:nodes' } });
  const rounds = [async () => {}, () => clock.advance(20_000), () => clock.advance(20_000), () => clock.advance(300_000)];
  const counts: number[] = [];
  for (const wait of rounds) {
    await wait();
    await own.admit(node);
    counts.push(asked.length);
  }
  expect(counts).toEqual([2, 2, 3, 5]); // Refusals hold for 30 s, rights for 5 minutes.
  expect(asked[1]).toEqual({
    kind: 'SubjectAccessReview',
    spec: {
      user: 'system:node:n2',
      uid: undefined,
      extra: undefined,
      groups: ['system:nodes', 'system:authenticated'],
      resourceAttributes: { verb: 'get', version: 'v1', resource: 'nodes', subresource: 'proxy', name: 'n1' },
    },
  });
});

test('a token is the API server’s to know, and its user’s rights too', async () => {
  const user = { username: 'system:serviceaccount:a:b', uid: 'u', groups: ['g'], extra: { k: ['v'] } };
  const { gate: own, asked } = gate(({ kind, spec }) =>
    kind === 'TokenReview' ? { authenticated: spec['token'] === 'good', user } : { allowed: false },
  );
  await expect(own.admit(request('/pods', { token: 'bad' }))).rejects.toMatchObject({ status: 401 });
  await expect(own.admit(request('/pods', { token: 'good' }))).rejects.toMatchObject({
    status: 403,
    message: 'Forbidden (user=system:serviceaccount:a:b, verb=get, resource=nodes, subresource(s)=[pods proxy])\n',
  });
  expect(asked.at(-1)?.spec).toMatchObject({ user: user.username, uid: 'u', groups: ['g'], extra: { k: ['v'] } });
});

test('an API server that does not answer is no right', async () => {
  const { gate: own } = gate(() => {
    throw new Error('away');
  });
  await expect(own.admit(request('/pods', { token: 'good' }))).rejects.toMatchObject({ status: 500 });
});
