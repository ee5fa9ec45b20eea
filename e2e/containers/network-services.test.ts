import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Json, useContainers } from './fixture.ts';
import { askPod, type Dialled, type Dialling, dial, dialPath, netPod, whoAnswers } from './net-server.ts';
import { type Outside, openOutside } from './outside.ts';

const suite = useContainers('services');
const servers = ['one', 'two', 'three'] as const;
const all = [...servers].sort();
let outside: Outside;
let nodeIp = '';
const ips = new Map<string, string>();

interface ServiceSpec {
  readonly clusterIP: string;
  readonly ports: readonly [{ readonly nodePort: number }, { readonly nodePort: number }?];
  readonly healthCheckNodePort: number;
}

const tcp = { name: 'http', port: 80, targetPort: 8080 };
const udp = { name: 'udp', port: 80, targetPort: 8081, protocol: 'UDP' };
const service = (name: string, spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, ...metadata },
  spec: { selector: { app: 'net' }, ports: [tcp, udp], ...spec },
});

async function made(name: string, spec: object = {}): Promise<ServiceSpec> {
  await suite().create(service(name, spec));
  return specOf(name);
}
const specOf = async (name: string): Promise<ServiceSpec> => (await suite().get<{ spec: ServiceSpec }>(`services/${name}`)).spec;

const from = (pod: string, to: Dialling): Promise<Dialled> => dial(suite(), pod, { wait: 2, ...to });
const fromOutside = async (to: Dialling): Promise<Dialled> => JSON.parse(await outside.ask(dialPath({ wait: 2, ...to }))) as Dialled;
/** Everybody of `expected` answers, and nobody else. */
const served = (pod: string, to: Dialling, expected: readonly string[]): Promise<void> =>
  eventually(async () => expect(await whoAnswers(suite(), pod, { wait: 2, ...to })).toEqual([...expected].sort()));
const refused = (pod: string, to: Dialling): Promise<void> =>
  eventually(async () => expect(await from(pod, to)).toEqual({ answers: [], errors: ['refused'] }));

/** Straight from this machine, without any pod. */
const fromMachine = (host: string, port: number, path = '/hostname'): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request({ host, port, path, agent: false, timeout: 5000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.once('end', () => resolve(text));
    });
    asked.once('error', reject).once('timeout', () => asked.destroy(new Error('timeout')));
    asked.end();
  });

beforeAll(async () => {
  outside = await openOutside();
  await suite().create(
    ...servers.map((name) => netPod(name, { labels: { app: 'net', pod: name } })),
    netPod('client'),
    netPod('on-node', { host: true }),
  );
  await suite().ready(...servers, 'client', 'on-node');
  for (const name of [...servers, 'client', 'on-node']) {
    const { status } = await suite().get<{ status: { podIP: string; hostIP: string } }>(`pods/${name}`);
    ips.set(name, status.podIP);
    nodeIp = status.hostIP;
  }
}, 120_000);
afterAll(() => outside?.close());

describe('pods reach each other', () => {
  test.each(['http', 'udp'] as const)('by %s, from pods and from the node', async (protocol) => {
    const port = protocol === 'http' ? 8080 : 8081;
    for (const server of servers) {
      const host = ips.get(server) ?? '';
      for (const client of ['client', 'on-node', 'one'])
        expect(await from(client, { host, port, protocol })).toEqual({ answers: [server], errors: [] });
      if (protocol === 'http') expect(await fromMachine(host, port)).toBe(server);
    }
    expect((await from('client', { host: ips.get('on-node') ?? '', port, protocol })).answers).toEqual(['on-node']);
  });

  test('under their own addresses; outside under the machine’s', async () => {
    const client = ips.get('client');
    for (const protocol of ['http', 'udp'] as const) {
      const port = protocol === 'http' ? 8080 : 8081;
      const ask = { port, protocol, path: '/clientip' } as const;
      expect((await from('client', { ...ask, host: ips.get('one') ?? '' })).answers).toEqual([client]);
      expect((await from('client', { ...ask, host: outside.address })).answers).toEqual([outside.machine]);
    }
  });
});

describe('a cluster address', () => {
  test('spreads over the pods, for pods, for the node and for the pods themselves', async () => {
    const { clusterIP } = await made('plain');
    for (const client of ['client', 'on-node', 'one']) {
      await served(client, { host: clusterIP, port: 80 }, all);
      await served(client, { host: clusterIP, port: 80, protocol: 'udp' }, all);
    }
    await eventually(async () => expect(all).toContain(await fromMachine(clusterIP, 80)));
    await served('client', { host: 'plain', port: 80 }, all);
    expect((await from('client', { host: clusterIP, port: 80, path: '/clientip' })).answers).toEqual([ips.get('client')]);
    expect((await from('client', { host: clusterIP, port: 81 })).errors).toEqual(['refused']);
  });

  test('leads a pod to itself', async () => {
    const { clusterIP } = await made('mirror', { selector: { pod: 'two' } });
    await served('two', { host: clusterIP, port: 80 }, ['two']);
    await served('two', { host: clusterIP, port: 80, protocol: 'udp' }, ['two']);
  });

  test('refuses where nobody serves, and serves as soon as somebody does', async () => {
    const { clusterIP, ports } = await made('nobody', { type: 'NodePort', selector: { pod: 'nobody' } });
    for (const client of ['client', 'on-node']) {
      await refused(client, { host: clusterIP, port: 80 });
      await refused(client, { host: nodeIp, port: ports[0].nodePort });
    }
    await refused('client', { host: clusterIP, port: 80, protocol: 'udp' });
    await suite().patch('services/nobody', { spec: { selector: { pod: 'one' } } });
    await served('client', { host: clusterIP, port: 80 }, ['one']);
  });

  test('leaves out pods that are not ready', async () => {
    const { clusterIP } = await made('ready-only', { selector: { app: 'net' } });
    await served('client', { host: clusterIP, port: 80 }, all);
    await askPod(suite(), 'two', '/ready?is=0').catch(() => undefined); // 503 is its answer.
    await served('client', { host: clusterIP, port: 80 }, ['one', 'three']);
    const kept = await made('whoever', { publishNotReadyAddresses: true });
    await served('client', { host: kept.clusterIP, port: 80 }, all);
    await askPod(suite(), 'two', '/ready?is=1');
    await served('client', { host: clusterIP, port: 80 }, all);
  });

  test('has one port for TCP and UDP, or for one of them', async () => {
    const { clusterIP } = await made('both', { selector: { pod: 'one' } });
    const at = { host: clusterIP, port: 80 };
    await served('client', at, ['one']);
    await served('client', { ...at, protocol: 'udp' }, ['one']);
    const only = (port: object): Promise<Json> => suite().patch('services/both', { spec: { ports: [{ $patch: 'replace' }, port] } });
    await only(tcp);
    await refused('client', { ...at, protocol: 'udp' });
    await served('client', at, ['one']);
    await only(udp);
    await refused('client', at);
    await served('client', { ...at, protocol: 'udp' }, ['one']);
  });

  test('is the one asked for, is nobody else’s, and is free again after its Service', async () => {
    const { clusterIP } = await made('address');
    const ask = (name: string): Promise<ServiceSpec> => made(name, { clusterIP });
    await expect(ask('address-2')).rejects.toThrow(`failed to allocate IP ${clusterIP}: provided IP is already allocated`);
    await expect(made('address-2', { clusterIP: '203.0.113.9' })).rejects.toThrow('the provided network does not match the current range');
    await suite().delete('services/address');
    await eventually(async () => expect((await ask('address-2')).clusterIP).toBe(clusterIP));
    await served('client', { host: clusterIP, port: 80 }, all);
    await suite().delete('services/address-2');
  });

  test('follows UDP clients that keep their port to a new pod', async () => {
    const { clusterIP } = await made('datagrams', { selector: { app: 'moving' } });
    await suite().create(netPod('first', { labels: { app: 'moving' } }));
    const ask = { host: clusterIP, port: 80, protocol: 'udp', source: 40_000, wait: 1 } as const;
    await served('client', { ...ask, tries: 3 }, ['first']);
    await suite().create(netPod('second', { labels: { app: 'moving' } }));
    await suite().ready('second');
    await suite().delete('pods/first?gracePeriodSeconds=0');
    await served('client', { ...ask, tries: 3 }, ['second']);
  });
});

describe('session affinity', () => {
  const one = async (to: Dialling): Promise<void> =>
    eventually(async () => expect(await whoAnswers(suite(), 'client', { wait: 2, ...to })).toHaveLength(1));

  test.each(['ClusterIP', 'NodePort'])('is switched on and off, %s', async (type) => {
    const name = `sticky-${type.toLowerCase()}`;
    const { clusterIP, ports } = await made(name, { type, sessionAffinity: 'ClientIP' });
    const to = type === 'NodePort' ? { host: nodeIp, port: ports[0].nodePort } : { host: clusterIP, port: 80 };
    await one(to);
    await suite().patch(`services/${name}`, { spec: { sessionAffinity: 'None' } });
    await served('client', to, all);
    await suite().patch(`services/${name}`, { spec: { sessionAffinity: 'ClientIP' } });
    await one(to);
    const [first] = await whoAnswers(suite(), 'client', to);
    await one({ ...to, protocol: 'http' });
    expect(await whoAnswers(suite(), 'client', { host: clusterIP, port: 80 })).toEqual([first]);
  });

  test('ends some time after the last connection', async () => {
    const { clusterIP } = await made('short', {
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } },
    });
    const to = { host: clusterIP, port: 80 };
    await one(to);
    await eventually(async () => {
      const { answers } = await from('client', { ...to, tries: 5, pause: 1.2 });
      expect(new Set(answers).size).toBeGreaterThan(1);
    });
  });
});

describe('a node port', () => {
  test('answers at the node and on its loopback, to pods and to others', async () => {
    const { clusterIP, ports } = await made('port', { type: 'NodePort' });
    const [{ nodePort }, datagrams] = ports;
    for (const client of ['client', 'on-node', 'one']) {
      await served(client, { host: nodeIp, port: nodePort }, all);
      await served(client, { host: nodeIp, port: datagrams?.nodePort ?? 0, protocol: 'udp' }, all);
      await served(client, { host: clusterIP, port: 80 }, all);
    }
    await served('client', { host: 'port', port: 80 }, all);
    for (const host of [nodeIp, '127.0.0.1']) expect(all).toContain(await fromMachine(host, nodePort));
    const { answers, errors } = await fromOutside({ host: nodeIp, port: nodePort, tries: 20 });
    expect([[...new Set(answers)].sort(), errors]).toEqual([all, []]);
  });

  test('is the one asked for, is nobody else’s, and is free again after its Service', async () => {
    const taken = (await made('taken', { type: 'NodePort', ports: [tcp] })).ports[0].nodePort;
    const ask = (name: string): Promise<ServiceSpec> => made(name, { type: 'NodePort', ports: [{ ...tcp, nodePort: taken }] });
    await expect(ask('second')).rejects.toThrow('provided port is already allocated');
    await expect(made('low', { type: 'NodePort', ports: [{ ...tcp, nodePort: 80 }] })).rejects.toThrow(
      'provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
    await suite().delete('services/taken');
    await eventually(async () => expect((await ask('second')).ports[0].nodePort).toBe(taken));
    await suite().patch('services/second', {
      spec: { type: 'ExternalName', externalName: 'a.example', clusterIP: null, clusterIPs: null },
    });
    await eventually(async () => expect((await ask('third')).ports[0].nodePort).toBe(taken));
    await served('client', { host: nodeIp, port: taken }, all);
  });
});

describe('traffic from outside', () => {
  const firstOf = async (name: string): Promise<string> => {
    const { status } = await suite().get<{ status: { loadBalancer: { ingress?: readonly [{ ip: string }] } } }>(`services/${name}`);
    return status.loadBalancer.ingress?.[0].ip ?? '';
  };

  test('comes by the balancer’s address, which is the node’s, from ranges that are allowed', async () => {
    const ports = [{ ...tcp, port: 7070 }];
    await made('balanced', { type: 'LoadBalancer', ports });
    await eventually(async () => expect(await firstOf('balanced')).toBe(nodeIp));
    await served('client', { host: nodeIp, port: 7070 }, all);
    expect(await fromOutside({ host: nodeIp, port: 7070 })).toMatchObject({ errors: [] });
    await suite().patch('services/balanced', { spec: { loadBalancerSourceRanges: ['203.0.113.0/24'] } });
    await eventually(async () => expect((await fromOutside({ host: nodeIp, port: 7070, wait: 1 })).errors).toEqual(['timeout']));
    await suite().patch('services/balanced', { spec: { loadBalancerSourceRanges: [`${outside.address}/32`] } });
    await eventually(async () => expect((await fromOutside({ host: nodeIp, port: 7070 })).errors).toEqual([]));
  });

  test('comes by external addresses', async () => {
    await made('external', { externalIPs: ['203.0.113.7'], ports: [tcp] });
    await served('client', { host: '203.0.113.7', port: 80 }, all);
    await eventually(async () => expect((await fromOutside({ host: '203.0.113.7', port: 80 })).errors).toEqual([]));
  });

  test('keeps its address under policy Local, with a health check', async () => {
    const ports = [{ ...tcp, port: 7071 }];
    const spec = await made('local', { type: 'LoadBalancer', externalTrafficPolicy: 'Local', selector: { pod: 'one' }, ports });
    const to = { host: nodeIp, port: spec.ports[0].nodePort, path: '/clientip' };
    await eventually(async () => expect((await fromOutside(to)).answers).toEqual([outside.address]));
    await eventually(async () => expect((await fromOutside({ ...to, port: 7071 })).answers).toEqual([outside.address]));
    const health = async (): Promise<Json> => JSON.parse(await fromMachine(nodeIp, spec.healthCheckNodePort, '/')) as Json;
    await eventually(async () =>
      expect(await health()).toMatchObject({ service: { namespace: 'services', name: 'local' }, localEndpoints: 1 }),
    );
    await suite().patch('services/local', { spec: { selector: { pod: 'nobody' } } });
    await eventually(async () => expect(await health()).toMatchObject({ localEndpoints: 0 }));
    await suite().patch('services/local', { spec: { externalTrafficPolicy: 'Cluster', selector: { pod: 'one' } } });
    await eventually(async () => expect((await fromOutside(to)).answers).not.toContain(outside.address));
    expect((await specOf('local')).healthCheckNodePort).toBeUndefined();
  });

  test('stays on the node under the internal policy Local, and is dropped when nobody is here', async () => {
    const { clusterIP } = await made('internal', { internalTrafficPolicy: 'Local' });
    await served('client', { host: clusterIP, port: 80 }, all);
    const elsewhere = await made('elsewhere', { internalTrafficPolicy: 'Local', selector: undefined, ports: [tcp] });
    await suite().create({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'elsewhere-a', labels: { 'kubernetes.io/service-name': 'elsewhere' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080 }],
      endpoints: [{ addresses: [outside.address], nodeName: 'another', conditions: { ready: true } }],
    });
    await eventually(async () =>
      expect((await from('client', { host: elsewhere.clusterIP, port: 80, wait: 1 })).errors).toEqual(['timeout']),
    );
    await suite().patch('services/elsewhere', { spec: { internalTrafficPolicy: 'Cluster' } });
    await served('client', { host: elsewhere.clusterIP, port: 80 }, ['outside']);
  });
});

describe('the type changes', () => {
  test('ClusterIP → ExternalName → ClusterIP → NodePort → ExternalName → NodePort', async () => {
    const resolved = async (): Promise<Json> =>
      JSON.parse(await askPod(suite(), 'client', '/resolve?name=changing.services.svc.cluster.local'));
    const change = (spec: object): Promise<Json> => suite().patch('services/changing', { spec });
    const alias = { type: 'ExternalName', externalName: 'plain.services.svc.cluster.local', clusterIP: null, clusterIPs: null };
    const { clusterIP } = await made('changing');
    await eventually(async () => expect(await resolved()).toMatchObject({ addresses: [clusterIP] }));
    const aliased = { canonical: 'plain.services.svc.cluster.local', addresses: [(await specOf('plain')).clusterIP] };
    expect(await change(alias)).not.toHaveProperty('spec.clusterIP');
    await eventually(async () => expect(await resolved()).toEqual(aliased));

    await change({ type: 'ClusterIP', externalName: null, ports: [tcp] });
    const again = await specOf('changing');
    await eventually(async () => expect(await resolved()).toMatchObject({ addresses: [again.clusterIP] }));
    await served('client', { host: 'changing', port: 80 }, all);
    await change({ type: 'NodePort' });
    const { nodePort } = (await specOf('changing')).ports[0];
    await served('client', { host: nodeIp, port: nodePort }, all);
    expect(await change(alias)).not.toHaveProperty('spec.ports[0].nodePort');
    await eventually(async () => expect(await resolved()).toEqual(aliased));
    await refused('client', { host: nodeIp, port: nodePort });
    await change({ type: 'NodePort', externalName: null, ports: [{ $patch: 'replace' }, tcp] });
    await served('client', { host: nodeIp, port: (await specOf('changing')).ports[0].nodePort }, all);
  });
});
