import { type ChildProcess, spawn } from 'node:child_process';
import { namespaces, networkPolicies, pods } from '@orrery/api';
import { realClock } from '@orrery/base';
import { newInformerFactory } from '@orrery/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BridgeNetwork, openBridgeNetwork } from '../bridge/bridge-network.ts';
import { newObjectSource, type ObjectSource } from '../testing/object-source.ts';
import { canMakeNetworks, newTestHost, type TestHost, testInstanceId } from '../testing/test-host.ts';
import { newPolicyAgent } from './policy-agent.ts';

const meta = (name: string, labels: object, namespace?: string) => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  uid: `uid-${name}`,
  creationTimestamp: '2026-01-01T00:00:00Z',
  labels,
});

describe.skipIf(!canMakeNetworks)('network policies on a node', () => {
  let host: TestHost;
  let network: BridgeNetwork;
  let source: ObjectSource;
  let stop: AbortController;
  let running: Promise<unknown>;
  const servers: ChildProcess[] = [];
  const netns = new Map<string, string>();
  const addresses = new Map<string, string>();

  const join = async (name: string, labels: object): Promise<void> => {
    source.put(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: meta(name, labels, 'default'),
      spec: { containers: [{ name: 'c', ports: [{ name: 'web', containerPort: 80 }] }] },
      status: {},
    });
    const uid = `uid-${name}`;
    const { netnsPath, addresses: own } = await network.attach({
      sandboxId: name,
      namespace: 'default',
      name,
      uid,
      hostPorts: [],
      annotations: {},
    });
    netns.set(name, netnsPath);
    addresses.set(name, own[0] ?? '');
    for (const port of [80, 81]) {
      servers.push(
        spawn('nsenter', [`--net=${netnsPath}`, 'socat', `TCP-LISTEN:${port},fork,reuseaddr`, 'SYSTEM:echo hi'], { stdio: 'ignore' }),
      );
      while (!host.run('ss -ltn', netnsPath).includes(`:${port} `)) await realClock.sleep(10);
    }
  };
  const reaches = (from: string, to: string, port = 80): boolean =>
    host
      .try(`socat -T 1 - TCP:${addresses.get(to)}:${port},connect-timeout=0.4 </dev/null`, netns.get(from) ?? host.netns)
      .stdout.startsWith('hi');
  const put = (name: string, spec: object): void =>
    source.put(networkPolicies, { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: meta(name, {}, 'default'), spec });
  const becomes = async (probe: () => boolean, wanted: boolean): Promise<void> => {
    for (let tries = 0; probe() !== wanted; tries += 1) {
      if (tries > 100) throw new Error(`it is still ${!wanted}`);
      await realClock.sleep(20);
    }
  };

  beforeEach(async () => {
    const instanceId = testInstanceId();
    host = newTestHost(`policy-${instanceId}`);
    const common = { instanceId, clock: realClock, hostNetns: host.netns };
    network = await openBridgeNetwork({ ...common, directory: host.directory, podCidrs: ['10.244.0.0/24'] });
    source = newObjectSource();
    source.put(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: meta('default', {}), spec: {}, status: {} });
    stop = new AbortController();
    const informers = newInformerFactory(source.client, { clock: realClock });
    const agent = newPolicyAgent({ ...common, informers, network });
    running = Promise.all([agent.run(stop.signal), informers.run(stop.signal)]);
    await join('server', { app: 'server' });
    await join('friend', { app: 'friend' });
    await join('other', { app: 'other' });
  });
  afterEach(async () => {
    stop.abort();
    await running;
    for (const server of servers.splice(0)) server.kill('SIGKILL');
    await network.destroy();
    host[Symbol.dispose]();
  });

  test('let in whom they name, on the ports that they name, and always the node', async () => {
    expect(reaches('other', 'server')).toBe(true);
    put('p', {
      podSelector: { matchLabels: { app: 'server' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }], ports: [{ port: 'web', protocol: 'TCP' }] }],
    });
    await becomes(() => reaches('other', 'server'), false);
    expect([
      reaches('friend', 'server'),
      reaches('friend', 'server', 81),
      reaches('host', 'server', 81),
      reaches('other', 'friend'),
    ]).toEqual([true, false, true, true]);
    put('p', { podSelector: { matchLabels: { app: 'server' } }, policyTypes: ['Ingress'], ingress: [{}] });
    await becomes(() => reaches('other', 'server', 81), true);
    source.remove(networkPolicies, 'p', 'default');
    await becomes(() => host.try('nft list ruleset').stdout.includes('pod_ingress'), false);
  });

  test('let out to whom they name, and bind a pod from its first packet on', async () => {
    put('out', {
      podSelector: { matchLabels: { app: 'late' } },
      policyTypes: ['Egress'],
      egress: [
        {
          to: [{ ipBlock: { cidr: '10.244.0.0/24', except: [`${addresses.get('other')}/32`] } }],
          ports: [{ port: 80, endPort: 80, protocol: 'TCP' }],
        },
      ],
    });
    await join('late', { app: 'late' });
    expect([reaches('late', 'server'), reaches('late', 'server', 81), reaches('late', 'other'), reaches('server', 'late', 81)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});
