import { describe, expect, test } from 'vitest';
import type { ProxyEndpoint } from './endpoint.ts';
import { reachable } from './topology.ts';

const endpoint = (ip: string, rest: Partial<ProxyEndpoint> = {}): ProxyEndpoint => ({
  ...{ ip, port: 80, isLocal: false, ready: true, serving: true, terminating: false, zoneHints: [], nodeHints: [] },
  ...rest,
});
const ending = { ready: false, serving: true, terminating: true };
const dead = { ready: false, serving: false, terminating: true };
const here = { isLocal: true };
const ips = (endpoints: readonly ProxyEndpoint[]): string => endpoints.map(({ ip }) => ip).join();

const cases: readonly [string, readonly ProxyEndpoint[], { cluster: string; local: string; anywhere: boolean }][] = [
  ['none', [], { cluster: '', local: '', anywhere: false }],
  ['ready ones', [endpoint('a'), endpoint('b', here)], { cluster: 'a,b', local: 'b', anywhere: true }],
  ['unready ones never', [endpoint('a', { ready: false, serving: false })], { cluster: '', local: '', anywhere: false }],
  ['terminating ones beside ready ones', [endpoint('a', ending), endpoint('b')], { cluster: 'b', local: '', anywhere: true }],
  ['terminating ones alone', [endpoint('a', ending), endpoint('b', dead)], { cluster: 'a', local: '', anywhere: true }],
  ['local ones that end', [endpoint('a', { ...ending, ...here }), endpoint('b')], { cluster: 'b', local: 'a', anywhere: true }],
  [
    'hints for this zone',
    [endpoint('a', { zoneHints: ['z1'] }), endpoint('b', { zoneHints: ['z2'] })],
    { cluster: 'a', local: '', anywhere: true },
  ],
  ['hints that one endpoint lacks', [endpoint('a', { zoneHints: ['z1'] }), endpoint('b')], { cluster: 'a,b', local: '', anywhere: true }],
  ['hints for other zones alone', [endpoint('a', { zoneHints: ['z2'] })], { cluster: 'a', local: '', anywhere: true }],
  [
    'hints for this node before those for its zone',
    [endpoint('a', { nodeHints: ['n1'], zoneHints: ['z1'] }), endpoint('b', { nodeHints: ['n2'], zoneHints: ['z1'] })],
    { cluster: 'a', local: '', anywhere: true },
  ],
];

describe('reachable endpoints', () => {
  test.each(cases)('%s', (_name, endpoints, wanted) => {
    const { cluster, local, anywhere } = reachable(endpoints, { cluster: true, local: true }, { nodeName: 'n1', zone: 'z1' });
    expect({ cluster: ips(cluster), local: ips(local), anywhere }).toEqual(wanted);
  });
});
