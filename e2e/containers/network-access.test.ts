import { randomBytes, randomInt } from 'node:crypto';
import { newCertificateAuthority } from '@orrery/component';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Json, useContainers } from './fixture.ts';
import { type Dialling, dial, netPod } from './net-server.ts';

const suite = useContainers('access');
const root = '/api/v1/namespaces/access';
const links = '<a href="/rewriteme">test</a>';
let ip = '';
let nodeIp = '';

const service = (name: string, spec: object): object => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });

beforeAll(async () => {
  const certificate = await selfSigned();
  await suite().create({ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name: 'tls' }, stringData: certificate });
  const containerPorts = { web: 8080, links: 1080, secure: 8443 };
  await suite().create(
    netPod('web', {
      labels: { app: 'web', role: 'server' },
      http: [8080, 1080, 162],
      https: [8443],
      env: { BODY_1080: links, BODY_8443: '<a href="/tlsrewriteme">test</a>', BODY_162: 'bar' },
      spec: {
        volumes: [
          { name: 'usr', hostPath: { path: '/usr' } },
          { name: 'tls', secret: { secretName: 'tls' } },
        ],
      },
      container: {
        ports: Object.entries(containerPorts).map(([name, containerPort]) => ({ name, containerPort })),
        volumeMounts: [
          { name: 'usr', mountPath: '/usr', readOnly: true },
          { name: 'tls', mountPath: '/tls' },
        ],
      },
    }),
    netPod('friend', { labels: { role: 'friend' } }),
    netPod('stranger', { labels: { role: 'stranger' } }),
    service('web', {
      selector: { app: 'web' },
      ports: [
        { name: 'one', port: 80, targetPort: 'web' },
        { name: 'two', port: 81, targetPort: 162 },
        { name: 'secure', port: 443, targetPort: 'secure' },
      ],
    }),
    service('single', { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'web' }] }),
  );
  await suite().ready('web', 'friend', 'stranger');
  const { status } = await suite().get<{ status: { podIP: string; hostIP: string } }>('pods/web');
  ip = status.podIP;
  nodeIp = status.hostIP;
}, 120_000);

async function selfSigned(): Promise<Record<string, string>> {
  const pair = await newCertificateAuthority('test', { nowMs: Date.now(), serial: () => randomBytes(16) });
  return { 'tls.crt': pair.cert, 'tls.key': pair.key };
}

const text = async (path: string): Promise<string> => {
  const { status, body } = await suite().ask(path);
  return `${status} ${body}`;
};

describe('the API server’s proxy', () => {
  test.each(['pods/web', 'pods/web:8080', 'pods/http:web:8080', 'services/single', 'services/web:one', 'services/http:web:80'])(
    'passes every method on, %s',
    async (target) => {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const sent = method === 'GET' || method === 'OPTIONS' ? {} : { body: 'sent', headers: { 'content-type': 'text/plain' } };
        const { status, body } = await suite().ask(`${root}/${target}/proxy/echo/some/path?with=${method}`, { method, ...sent });
        expect([status, JSON.parse(body.toString())]).toMatchObject([
          200,
          { method, path: `/echo/some/path?with=${method}`, body: 'body' in sent ? 'sent' : '' },
        ]);
      }
      expect(await suite().ask(`${root}/${target}/proxy/echo`, { method: 'HEAD' })).toMatchObject({ status: 200, body: Buffer.alloc(0) });
      for (const method of ['GET', 'HEAD']) {
        const { status, headers } = await suite().ask(`${root}/${target}/proxy?method=${method}`, { method });
        expect([status, headers.location]).toEqual([301, `${root}/${target}/proxy/?method=${method}`]);
      }
      expect((await suite().ask(`${root}/${target}/proxy?x=y`, { method: 'POST' })).status).toBe(200);
    },
  );

  test('finds ports by name and number, over TLS too, and keeps links below itself', async () => {
    const linked = (target: string, path = '/rewriteme'): string => `200 <a href="${root}/${target}/proxy${path}">test</a>`;
    for (const target of ['pods/web:1080', 'pods/http:web:1080']) expect(await text(`${root}/${target}/proxy/`)).toBe(linked(target));
    for (const target of ['pods/https:web:8443', 'services/https:web:secure', 'services/https:web:443']) {
      expect(await text(`${root}/${target}/proxy/`)).toBe(linked(target, '/tlsrewriteme'));
    }
    for (const target of ['services/web:two', 'services/web:81', 'pods/web:162'])
      expect(await text(`${root}/${target}/proxy/`)).toBe('200 bar');
    const { headers } = await suite().ask(`${root}/pods/web:8080/proxy/moved`);
    expect(headers.location).toBe(`${root}/pods/web:8080/proxy/elsewhere`);
  });

  test('says what it does not find', async () => {
    expect(await text(`${root}/pods/nobody/proxy/`)).toContain('404');
    expect(await text(`${root}/services/web:82/proxy/`)).toContain('no service port 82 found for service \\"web\\"');
    await suite().create(service('nobody', { selector: { app: 'nobody' }, ports: [{ port: 80 }] }));
    await eventually(async () =>
      expect(await text(`${root}/services/nobody/proxy/`)).toContain('no endpoints available for service \\"nobody\\"'),
    );
  });
});

describe('host ports', () => {
  test('one number at two addresses and for two protocols', async () => {
    const hostPort = 20_000 + randomInt(10_000);
    const at = (hostIP: string, protocol: string, containerPort = 8080): object => ({
      container: { ports: [{ hostPort, hostIP, protocol, containerPort }] },
    });
    await suite().create(
      netPod('port-loop', at('127.0.0.1', 'TCP')),
      netPod('port-node', at(nodeIp, 'TCP')),
      netPod('port-udp', at(nodeIp, 'UDP', 8081)),
      netPod('on-node', { host: true }),
    );
    await suite().ready('port-loop', 'port-node', 'port-udp', 'on-node');
    const asked = async (from: string, host: string, protocol: 'http' | 'udp'): Promise<readonly string[]> =>
      (await dial(suite(), from, { host, port: hostPort, protocol, wait: 2 })).answers;
    await eventually(async () => {
      expect(await asked('on-node', '127.0.0.1', 'http')).toEqual(['port-loop']);
      for (const from of ['on-node', 'friend']) {
        expect(await asked(from, nodeIp, 'http')).toEqual(['port-node']);
        expect(await asked(from, nodeIp, 'udp')).toEqual(['port-udp']);
      }
    });
    await suite().delete('pods/port-node?gracePeriodSeconds=0');
    await eventually(async () => expect(await asked('friend', nodeIp, 'http')).toEqual([]));
  });
});

describe('network policies', () => {
  const policy = (name: string, spec: object): object => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name },
    spec,
  });
  const passes = (from: string, expected: boolean, to: Partial<Dialling> = {}): Promise<void> =>
    eventually(async () => {
      const { answers } = await dial(suite(), from, { host: ip, port: 8080, wait: 1, ...to });
      expect([from, to, answers.length === 1]).toEqual([from, to, expected]);
    });
  const remove = (name: string): Promise<void> => suite().delete(`/apis/networking.k8s.io/v1/namespaces/access/networkpolicies/${name}`);
  const server = { matchLabels: { role: 'server' } };
  const friend = { podSelector: { matchLabels: { role: 'friend' } } };

  test('let in whom they name, at the ports that they name', async () => {
    await passes('stranger', true);
    await suite().create(policy('closed', { podSelector: server, policyTypes: ['Ingress'] }));
    await passes('stranger', false);
    await passes('stranger', false, { protocol: 'udp', port: 8081 });
    await passes('friend', false, { host: 'web', port: 80 });
    await suite().create(
      policy('friends', { podSelector: server, ingress: [{ from: [friend], ports: [{ port: 'web' }, { port: 162 }] }] }),
    );
    await passes('friend', true);
    await passes('friend', true, { host: 'web', port: 80 });
    await passes('friend', false, { port: 1080, path: '/' });
    await passes('stranger', false);
    await suite().create(
      policy('named', {
        podSelector: server,
        ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'access' } } }] }],
      }),
    );
    await passes('stranger', true);
    await passes('stranger', true, { protocol: 'udp', port: 8081 });
    await Promise.all(['closed', 'friends', 'named'].map(remove));
    await passes('friend', true, { port: 1080, path: '/' });
  });

  test('let out to where they say', async () => {
    const stranger = { matchLabels: { role: 'stranger' } };
    await suite().create(policy('shut', { podSelector: stranger, policyTypes: ['Egress'], egress: [] }));
    await passes('stranger', false);
    await passes('friend', true);
    await suite().create(
      policy('block', { podSelector: stranger, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: `${ip}/32` } }] }] }),
    );
    await passes('stranger', true);
    await remove('block');
    await passes('stranger', false);
    await remove('shut');
    await passes('stranger', true);
  });
});

describe('objects', () => {
  test('a new ServiceCIDR gives addresses, and stays as long as they are in use', async () => {
    const at = '/apis/networking.k8s.io/v1/servicecidrs/more';
    await suite().ask('/apis/networking.k8s.io/v1/servicecidrs', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'ServiceCIDR',
        metadata: { name: 'more' },
        spec: { cidrs: ['10.223.7.0/28'] },
      }),
    });
    const ready = (status: string): Promise<void> =>
      eventually(async () =>
        expect(await suite().get(at)).toMatchObject({ status: { conditions: [expect.objectContaining({ type: 'Ready', status })] } }),
      );
    await ready('True');
    await suite().create(service('far', { clusterIP: '10.223.7.5', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'web' }] }));
    expect(await suite().get('/apis/networking.k8s.io/v1/ipaddresses/10.223.7.5')).toMatchObject({
      spec: { parentRef: { resource: 'services', namespace: 'access', name: 'far' } },
    });
    await eventually(async () =>
      expect((await dial(suite(), 'friend', { host: '10.223.7.5', port: 80, wait: 2 })).answers).toEqual(['web']),
    );
    await suite().delete(at);
    await ready('False');
    await suite().delete('services/far');
    await eventually(async () => expect((await suite().ask(at)).status).toBe(404));
    expect((await suite().ask('/apis/networking.k8s.io/v1/ipaddresses/10.223.7.5')).status).toBe(404);
  });

  test('Services: status, and deletion of many', async () => {
    const labelled = (name: string, kind: string): object => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels: { kind } },
      spec: { ports: [{ port: 80 }] },
    });
    await suite().create(labelled('many-1', 'many'), labelled('many-2', 'many'), labelled('kept', 'kept'));
    const condition = { type: 'Patched', status: 'True', reason: 'E2E', message: 'set', lastTransitionTime: '2026-01-01T00:00:00Z' };
    const loadBalancer = { ingress: [{ ip: '203.0.113.1' }] };
    await suite().patch('services/kept', { spec: { type: 'LoadBalancer', loadBalancerClass: 'example.com/none' } });
    await suite().patch('services/kept', { status: { conditions: [condition], loadBalancer } }, 'status');
    expect(await suite().get('services/kept')).toMatchObject({ status: { conditions: [condition], loadBalancer } });
    await suite().delete('services?labelSelector=kind%3Dmany');
    const { items } = await suite().get<{ items: readonly Json[] }>('/api/v1/services');
    const names = items.map(({ metadata }) => `${metadata?.['namespace']}/${metadata?.['name']}`);
    expect(names).toEqual(expect.arrayContaining(['default/kubernetes', 'access/kept']));
    expect(names).not.toContain('access/many-1');
  });
});
