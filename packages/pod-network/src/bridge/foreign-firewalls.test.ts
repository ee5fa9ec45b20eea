import { type ChildProcess, spawn } from 'node:child_process';
import { newVirtualClock, realClock } from '@orrery/base';
import type { NetworkRequest } from '@orrery/cri';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cleanUpNetwork } from '../clean-up.ts';
import { canMakeNetworks, connectHosts, newTestHost, type TestHost, testInstanceId } from '../testing/test-host.ts';
import { type BridgeNetwork, openBridgeNetwork } from './bridge-network.ts';
import { endOfChain, endOfTable } from './foreign-firewalls.ts';

describe('what ends a chain', () => {
  test.each<[string, number | 'policy' | undefined]>([
    ['-P FORWARD ACCEPT', undefined],
    ['-P FORWARD DROP', 'policy'],
    ['-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n-A FORWARD -s 10.0.0.1/32 -j DROP', 'policy'],
    ['-P FORWARD ACCEPT\n-A FORWARD -s 10.0.0.1/32 -j DROP', undefined],
    ['-P INPUT ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -j REJECT --reject-with icmp-port-unreachable', 2],
  ])('of iptables: %j: %s', (listing, end) => expect(endOfTable(listing)).toBe(end));

  test.each<[string, number | 'policy' | undefined]>([
    ['type filter hook forward priority filter; policy accept;', undefined],
    ['type filter hook forward priority filter; policy drop;', 'policy'],
    ['policy accept;\n\t\tct state invalid drop # handle 4\n\t\tip saddr 10.0.0.1 reject # handle 5', undefined],
    ['policy accept;\n\t\tct state invalid drop # handle 4\n\t\treject with icmpx admin-prohibited # handle 9', 9],
    ['policy accept;\n\t\tcounter packets 1 bytes 60 drop # handle 12', 12],
  ])('of nftables: %j: %s', (listing, end) => expect(endOfChain(listing)).toBe(end));
});

describe.skipIf(!canMakeNetworks)('a machine whose firewall refuses what it does not know', () => {
  let host: TestHost;
  let outside: TestHost;
  let network: BridgeNetwork | undefined;
  let instanceId: string;
  const servers: ChildProcess[] = [];
  const clock = newVirtualClock();

  const request = (sandboxId: string): NetworkRequest => ({
    sandboxId,
    namespace: 'default',
    name: sandboxId,
    uid: `uid-${sandboxId}`,
    hostPorts: [],
    annotations: {},
  });
  const serve = async (netns: string, port: number): Promise<void> => {
    const server = spawn('nsenter', [`--net=${netns}`, 'socat', `TCP-LISTEN:${port},fork,reuseaddr`, 'SYSTEM:echo served'], {
      stdio: 'ignore',
    });
    servers.push(server);
    while (!host.run('ss -ltn', netns).includes(`:${port} `)) await realClock.sleep(10);
  };
  const ask = (netns: string, address: string, port: number): string =>
    host.try(`socat -T 1 - TCP:${address}:${port},connect-timeout=1 </dev/null`, netns).stdout.trim();

  beforeEach(() => {
    instanceId = testInstanceId();
    host = newTestHost(`fw-${instanceId}`);
    outside = newTestHost(`fwo-${instanceId}`);
    connectHosts(host, '192.0.2.1/24', outside, '192.0.2.9/24');
    host.run('ip route add default via 192.0.2.9');
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) server.kill('SIGKILL');
    await network?.destroy();
    network = undefined;
    host[Symbol.dispose]();
    outside[Symbol.dispose]();
  });

  const firewalls: readonly (readonly [name: string, script: string, list: string])[] = [
    [
      'iptables',
      'iptables-nft -P FORWARD DROP; iptables-nft -P INPUT DROP; iptables-nft -A FORWARD -d 192.0.2.9 -p tcp --dport 83 -j DROP; iptables-nft -A INPUT -i lo -j ACCEPT',
      'iptables-nft -S',
    ],
    [
      'nftables',
      `nft -f - <<'END'
table inet wall {
  chain forward { type filter hook forward priority 10; ip daddr 192.0.2.9 tcp dport 83 drop; reject with icmpx admin-prohibited; }
  chain input { type filter hook input priority 10; policy drop; iifname lo accept; }
}
END`,
      'nft list table inet wall',
    ],
  ];

  test.each(firewalls)(
    '%s: pods reach out, each other and their gateway; what it refuses by name stays refused',
    { timeout: 60_000 },
    async (_, script, list) => {
      host.run(script);
      const before = host.run(list);
      network = await openBridgeNetwork({
        instanceId,
        directory: host.directory,
        clock,
        podCidrs: ['10.244.0.0/24'],
        hostNetns: host.netns,
      });
      const [a, b] = await Promise.all([network.attach(request('a')), network.attach(request('b'))]);
      await serve(b.netnsPath, 80);
      await serve(host.netns, 81);
      for (const port of [82, 83]) await serve(outside.netns, port);
      const reached = (): string[] => [
        ask(a.netnsPath, b.addresses[0] ?? '', 80),
        ask(a.netnsPath, network?.gateway ?? '', 81),
        ask(a.netnsPath, '192.0.2.9', 82),
        ask(a.netnsPath, '192.0.2.9', 83),
      ];
      const all = ['served', 'served', 'served', ''];
      for (let tries = 0; tries < 5 && reached().join() !== all.join(); tries += 1) await realClock.sleep(200);
      expect(reached()).toEqual(all);
      const ours = host.run(list);
      expect(ours).not.toBe(before);
      await network.close();
      await cleanUpNetwork(instanceId, { clock: realClock, hostNetns: host.netns });
      expect(host.run(list)).toBe(before);
    },
  );

  test('a firewall that is loaded later is seen to; one that lets pass is left alone', { timeout: 60_000 }, async () => {
    host.run('iptables-nft -A FORWARD -s 203.0.113.1 -j DROP');
    const before = host.run('iptables-nft -S');
    network = await openBridgeNetwork({ instanceId, directory: host.directory, clock, podCidrs: ['10.244.0.0/24'], hostNetns: host.netns });
    const a = await network.attach(request('a'));
    await serve(outside.netns, 82);
    expect(ask(a.netnsPath, '192.0.2.9', 82)).toBe('served');
    expect(host.run('iptables-nft -S')).toBe(before);
    host.run('iptables-nft -P FORWARD DROP');
    expect(ask(a.netnsPath, '192.0.2.9', 82)).toBe('');
    while (!host.run('iptables-nft -S').includes('ESTABLISHED')) {
      await clock.advance(30_000);
      await realClock.sleep(100);
    }
    expect(ask(a.netnsPath, '192.0.2.9', 82)).toBe('served');
  });
});
