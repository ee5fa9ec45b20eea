import { type ChildProcess, spawn } from 'node:child_process';
import { realClock } from '@orrery/base';
import type { HostPort, NetworkRequest } from '@orrery/cri';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cleanUpNetwork } from '../clean-up.ts';
import { canMakeNetworks, connectHosts, newTestHost, type TestHost, testInstanceId } from '../testing/test-host.ts';
import { type BridgeNetwork, openBridgeNetwork } from './bridge-network.ts';

const request = (sandboxId: string, hostPorts: readonly HostPort[] = []): NetworkRequest => ({
  sandboxId,
  namespace: 'default',
  name: sandboxId,
  uid: `uid-${sandboxId}`,
  hostPorts,
  annotations: {},
});

describe.skipIf(!canMakeNetworks)('a bridge network on a machine with a neighbour', () => {
  let host: TestHost;
  let outside: TestHost;
  let network: BridgeNetwork;
  let instanceId: string;
  const servers: ChildProcess[] = [];

  const open = (): Promise<BridgeNetwork> =>
    openBridgeNetwork({ instanceId, directory: host.directory, clock: realClock, podCidrs: ['10.244.0.0/24'], hostNetns: host.netns });

  /** Answers every connection with the address of who asks. */
  const serve = async (netns: string, port: number): Promise<void> => {
    const server = spawn('nsenter', [`--net=${netns}`, 'socat', `TCP-LISTEN:${port},fork,reuseaddr`, 'SYSTEM:echo $SOCAT_PEERADDR'], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    servers.push(server);
    while (!host.run('ss -ltn', netns).includes(`:${port} `)) await realClock.sleep(10);
  };
  const ask = (netns: string, address: string, port: number): string =>
    host.try(`socat -T 2 - TCP:${address}:${port},connect-timeout=1 </dev/null`, netns).stdout.trim();

  beforeEach(async () => {
    instanceId = testInstanceId();
    host = newTestHost(`host-${instanceId}`);
    outside = newTestHost(`out-${instanceId}`);
    connectHosts(host, '192.0.2.1/24', outside, '192.0.2.9/24');
    host.run('ip route add default via 192.0.2.9');
    network = await open();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) server.kill('SIGKILL');
    await network.destroy();
    host[Symbol.dispose]();
    outside[Symbol.dispose]();
  });

  test('joins pods to each other, to the host and to the outside, which sees the host', async () => {
    const [a, b] = await Promise.all([network.attach(request('a')), network.attach(request('b'))]);
    expect(network.notes).toEqual([]);
    expect([a.addresses, b.addresses]).toEqual([['10.244.0.2'], ['10.244.0.3']]);
    await serve(b.netnsPath, 80);
    await serve(host.netns, 81);
    await serve(outside.netns, 82);
    expect(ask(a.netnsPath, '10.244.0.3', 80)).toBe('10.244.0.2');
    expect(ask(host.netns, '10.244.0.3', 80)).toBe(network.gateway);
    expect(ask(a.netnsPath, network.gateway, 81)).toBe('10.244.0.2');
    expect(ask(a.netnsPath, '192.0.2.9', 82)).toBe('192.0.2.1');
  });

  test('keeps the gateway and the loopback of the host from those whom they do not concern', async () => {
    const a = await network.attach(request('a'));
    await serve(host.netns, 81);
    outside.run('ip route add 10.244.0.0/24 via 192.0.2.1');
    expect(ask(outside.netns, network.gateway, 81)).toBe('');
    host.run(
      'ip route add 127.0.0.0/8 via 10.244.0.1 dev eth0 table local; ip addr del 127.0.0.1/8 dev lo; ip link set lo down',
      a.netnsPath,
    );
    expect(ask(a.netnsPath, '127.0.0.1', 81)).toBe('');
  });

  test('opens host ports on every address, on 127.0.0.1, and on one alone', async () => {
    const web = await network.attach(
      request('web', [
        { protocol: 'TCP', hostPort: 8080, containerPort: 80, hostIp: '' },
        { protocol: 'TCP', hostPort: 8081, containerPort: 80, hostIp: '127.0.0.1' },
      ]),
    );
    const other = await network.attach(request('other', [{ protocol: 'TCP', hostPort: 8081, containerPort: 80, hostIp: '192.0.2.1' }]));
    await serve(web.netnsPath, 80);
    expect(ask(host.netns, '127.0.0.1', 8080)).toBe(network.gateway);
    expect(ask(host.netns, '192.0.2.1', 8080)).not.toBe('');
    expect(ask(outside.netns, '192.0.2.1', 8080)).toBe('192.0.2.9');
    expect(ask(other.netnsPath, '192.0.2.1', 8080)).toBe('10.244.0.3');
    expect(ask(web.netnsPath, '192.0.2.1', 8080)).not.toBe(''); // To itself.
    expect(ask(host.netns, '127.0.0.1', 8081)).not.toBe('');
    expect(ask(outside.netns, '192.0.2.1', 8081)).toBe('');
    await serve(other.netnsPath, 80);
    expect(ask(outside.netns, '192.0.2.1', 8081)).toBe('192.0.2.9');
    await network.detach('web');
    expect(ask(host.netns, '127.0.0.1', 8080)).toBe('');
  });

  test('refuses a host port that another pod holds, and frees it with the pod', async () => {
    const port: HostPort = { protocol: 'UDP', hostPort: 53, containerPort: 53, hostIp: '' };
    await network.attach(request('first', [port]));
    await expect(network.attach(request('second', [port]))).rejects.toMatchObject({
      code: 'HostPortTaken',
      message: 'host port 53/UDP is taken by pod default/first',
    });
    await network.detach('first');
    expect((await network.attach(request('second', [port]))).addresses).toEqual(['10.244.0.3']);
  });

  test('is taken over by the next life of the agent', async () => {
    const port: HostPort = { protocol: 'TCP', hostPort: 8080, containerPort: 80, hostIp: '' };
    const a = await network.attach(request('a', [port]));
    await network.attach(request('gone'));
    await serve(a.netnsPath, 80);
    await network.close();
    network = await open();
    expect(await network.attach(request('a', [port]))).toEqual(a);
    await network.retain(new Set(['a']));
    expect(host.run('ip -o link').match(/ov\w+-\w+@/g)).toHaveLength(1);
    expect(ask(host.netns, '127.0.0.1', 8080)).not.toBe('');
    expect((await network.attach(request('next'))).addresses).toEqual(['10.244.0.4']);
  });

  test('joins anew what an earlier life left half made', async () => {
    const a = await network.attach(request('a'));
    await network.close();
    host.run('ip addr flush dev eth0', a.netnsPath);
    network = await open();
    const again = await network.attach(request('a'));
    await serve(again.netnsPath, 80);
    expect(ask(host.netns, again.addresses[0] ?? '', 80)).toBe(network.gateway);
  });

  test('makes a bridge that was taken away again, and leaves nothing of a pod that cannot be joined', async () => {
    host.run(`ip link del ${network.bridge}`);
    const a = await network.attach(request('a'));
    await serve(a.netnsPath, 80);
    expect(ask(host.netns, a.addresses[0] ?? '', 80)).toBe(network.gateway);
    expect(network.problem()).toBeUndefined();
    host.run(`ip link del ${network.bridge}; ip link add ${network.bridge} type veth peer name other`);
    await expect(network.attach(request('b'))).rejects.toMatchObject({ code: expect.stringMatching(/CommandFailed|Unavailable/) });
    expect(network.problem()).toBeDefined();
    expect(host.run('ls /run/netns')).not.toContain(`orrery-${instanceId}-b`);
  });

  test('gives every address before it gives one again, then the one that is free for longest', async () => {
    await network.destroy();
    network = await openBridgeNetwork({
      instanceId,
      directory: host.directory,
      clock: realClock,
      podCidrs: ['10.244.9.0/29'],
      hostNetns: host.netns,
    });
    const addressOf = async (id: string): Promise<string | undefined> => (await network.attach(request(id))).addresses[0];
    expect([await addressOf('a'), await addressOf('b')]).toEqual(['10.244.9.2', '10.244.9.3']);
    await network.detach('b');
    await network.detach('a');
    expect([await addressOf('c'), await addressOf('d'), await addressOf('e')]).toEqual(['10.244.9.4', '10.244.9.5', '10.244.9.6']);
    expect([await addressOf('f'), await addressOf('g')]).toEqual(['10.244.9.3', '10.244.9.2']);
    await expect(addressOf('h')).rejects.toMatchObject({ code: 'AddressesExhausted' });
  });

  test('is cleaned up by name alone', async () => {
    await Promise.all(['a', 'b', 'c'].map((id) => network.attach(request(id))));
    await network.close();
    await cleanUpNetwork(instanceId, { hostNetns: host.netns });
    await cleanUpNetwork(instanceId, { hostNetns: host.netns });
    expect(host.run('ip -o link; nft list tables; ls /run/netns')).not.toContain(instanceId + '-');
    network = await open();
  });

  test('gives addresses of both families', async () => {
    await network.destroy();
    network = await openBridgeNetwork({
      instanceId,
      directory: host.directory,
      clock: realClock,
      podCidrs: ['10.244.0.0/24', 'fd00:10:244::/64'],
      hostNetns: host.netns,
    });
    const [a, b] = await Promise.all([network.attach(request('a')), network.attach(request('b'))]);
    expect(a.addresses).toEqual(['10.244.0.2', 'fd00:10:244::2']);
    const server = spawn('nsenter', [`--net=${b.netnsPath}`, 'socat', 'TCP6-LISTEN:80,fork', 'SYSTEM:echo hello'], { stdio: 'ignore' });
    servers.push(server);
    while (!host.run('ss -ltn', b.netnsPath).includes(':80 ')) await realClock.sleep(10);
    expect(host.run('socat -T 2 - TCP6:[fd00:10:244::3]:80 </dev/null', a.netnsPath)).toBe('hello\n');
  });
});
