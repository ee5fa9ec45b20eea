import { type ChildProcess, spawn } from 'node:child_process';
import { nodes } from '@orrery/api';
import type { KubeObject } from '@orrery/apimachinery';
import { realClock } from '@orrery/base';
import { type Client, newInformerFactory } from '@orrery/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BridgeNetwork, openBridgeNetwork } from '../bridge/bridge-network.ts';
import { newObjectSource, type ObjectSource } from '../testing/object-source.ts';
import { canMakeNetworks, connectHosts, newTestHost, type TestHost, testInstanceId } from '../testing/test-host.ts';
import { newVxlanAgent } from './vxlan-agent.ts';

const nodeObject = (name: string, podCidr: string, annotations: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: `uid-${name}`, creationTimestamp: '2026-01-01T00:00:00Z', annotations },
  spec: { podCIDR: podCidr, podCIDRs: [podCidr] },
  status: {},
});

describe.skipIf(!canMakeNetworks)('two nodes with an overlay between them', () => {
  const machines: { readonly host: TestHost; readonly network: BridgeNetwork; readonly podCidr: string }[] = [];
  const servers: ChildProcess[] = [];
  let source: ObjectSource;
  let stop: AbortController;
  let running: Promise<unknown>[];

  beforeEach(async () => {
    source = newObjectSource();
    stop = new AbortController();
    running = [];
    const hosts = ['a', 'b'].map((name) => newTestHost(`vx-${testInstanceId()}-${name}`));
    const [a, b] = hosts;
    if (a === undefined || b === undefined) throw new Error('two machines were made');
    connectHosts(a, '192.0.2.1/24', b, '192.0.2.2/24');
    for (const [index, host] of hosts.entries()) {
      const instanceId = testInstanceId();
      const podCidr = `10.244.${index}.0/24`;
      const nodeName = `node-${index}`;
      source.put(nodes, nodeObject(nodeName, podCidr));
      const common = { instanceId, clock: realClock, hostNetns: host.netns };
      const network = await openBridgeNetwork({
        ...common,
        directory: host.directory,
        podCidrs: [podCidr],
        clusterCidrs: ['10.244.0.0/16'],
        mtu: 1450,
      });
      machines.push({ host, network, podCidr });
      const patch = async (_: unknown, __: unknown, ___: unknown, body: { readonly metadata: { readonly annotations: object } }) => {
        const object = nodeObject(nodeName, podCidr, body.metadata.annotations);
        source.put(nodes, object);
        return object as KubeObject;
      };
      const client = { patch } as unknown as Pick<Client, 'patch'>;
      const informers = newInformerFactory(source.client, { clock: realClock });
      const agent = newVxlanAgent({ ...common, client, informers, nodeName, network, nodeAddress: `192.0.2.${index + 1}` });
      running.push(agent.run(stop.signal), informers.run(stop.signal));
    }
  });
  afterEach(async () => {
    stop.abort();
    await Promise.all(running);
    for (const server of servers.splice(0)) server.kill('SIGKILL');
    for (const { network } of machines) await network.destroy();
    for (const { host } of machines.splice(0)) host[Symbol.dispose]();
  });

  test('joins pods across them by their own addresses, and forgets a node that left', async () => {
    const [a, b] = machines;
    if (a === undefined || b === undefined) throw new Error('two machines were made');
    const request = { namespace: 'default', uid: 'u', hostPorts: [], annotations: {} };
    const near = await a.network.attach({ ...request, sandboxId: 'near', name: 'near' });
    const far = await b.network.attach({ ...request, sandboxId: 'far', name: 'far' });
    servers.push(
      spawn('nsenter', [`--net=${far.netnsPath}`, 'socat', 'TCP-LISTEN:80,fork,reuseaddr', 'SYSTEM:echo $SOCAT_PEERADDR'], {
        stdio: 'ignore',
      }),
    );
    const ask = (netns: string): string =>
      a.host.try(`socat -T 1 - TCP:${far.addresses[0]}:80,connect-timeout=1 </dev/null`, netns).stdout.trim();
    for (let tries = 0; tries < 50 && ask(near.netnsPath) === ''; tries += 1) await realClock.sleep(50);
    expect(ask(near.netnsPath)).toBe('10.244.0.2');
    expect(ask(a.host.netns)).toBe('10.244.0.1');
    source.remove(nodes, 'node-1');
    const routes = (): string => a.host.run('ip route; ip neigh; bridge fdb');
    for (let tries = 0; tries < 50 && routes().includes('192.0.2.2'); tries += 1) await realClock.sleep(50);
    expect(routes()).not.toContain('10.244.1.');
  });
});
