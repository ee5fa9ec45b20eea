import type { Namespace, Pod } from '@orrery/api/core/v1';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '@orrery/api/networking/v1';
import { parseRange } from '@orrery/apimachinery';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compilePolicies, type PodWithAddresses } from './compile.ts';
import { type AllowRule, emptyProgram, type PolicyProgram } from './program.ts';
import { programChange, ruleText } from './render.ts';

const named = (name: string, labels: Record<string, string>, namespace?: string) => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  uid: `uid-${namespace ?? ''}-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  labels,
});
const namespace = (name: string): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: named(name, { ns: name }),
  spec: {},
  status: {},
});
const pod = (name: string, space: string, address: string, webPort: number): PodWithAddresses => ({
  pod: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: named(name, { app: name }, space),
    spec: { containers: [{ name: 'c', ports: [{ name: 'web', containerPort: webPort, protocol: 'TCP' }] }] },
  } as unknown as Pod,
  addresses: [address],
});
const namespaces = ['x', 'y'].map(namespace);
const pods = [pod('a', 'x', '10.0.0.1', 80), pod('b', 'x', '10.0.0.2', 8080), pod('a', 'y', '10.0.1.1', 80), pod('b', 'y', '10.0.1.2', 80)];
const policy = (name: string, space: string, spec: NetworkPolicy['spec']): NetworkPolicy => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: named(name, {}, space),
  spec,
});
const compile = (policies: readonly NetworkPolicy[]): PolicyProgram =>
  compilePolicies({ policies, namespaces, pods, isLocal: () => true, families: ['IPv4'] });

interface Packet {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
}

/** What nftables does with the program. */
function passes({ sets, chains, isolated }: PolicyProgram, packet: Packet): boolean {
  const inSet = (name: string, element: string): boolean => sets.get(name)?.elements.has(element) === true;
  const within = (cidr: string, address: string): boolean => parseRange(cidr).offsetOf(address) !== undefined;
  const allows = ({ peer, port }: AllowRule, other: string): boolean => {
    if (peer?.kind === 'set' && !inSet(peer.set, other)) return false;
    if (peer?.kind === 'block' && (!within(peer.cidr, other) || peer.except.some((cidr) => within(cidr, other)))) return false;
    if (port?.kind === 'protocol') return port.protocol === packet.protocol;
    if (port?.kind === 'named') return inSet(port.set, `${packet.to} . ${packet.protocol.toLowerCase()} . ${packet.port}`);
    if (port === undefined) return true;
    return port.protocol === packet.protocol && port.ranges.some(([first, last]) => first <= packet.port && packet.port <= last);
  };
  const judge = (names: readonly string[] | undefined, other: string): boolean =>
    names === undefined || names.some((name) => (chains.get(name) ?? []).some((rule) => allows(rule, other)));
  return judge(isolated.egress.get(packet.from), packet.to) && judge(isolated.ingress.get(packet.to), packet.from);
}

/** The same question, asked of the objects alone. */
function allowed(policies: readonly NetworkPolicy[], packet: Packet): boolean {
  const at = (address: string): Pod | undefined => pods.find(({ addresses }) => addresses.includes(address))?.pod;
  const labelled = (selector: NetworkPolicyPeer['podSelector'], labels: Readonly<Record<string, string>> | undefined): boolean =>
    Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels?.[key] === value);
  const isPeer = (space: string | undefined, { ipBlock, podSelector, namespaceSelector }: NetworkPolicyPeer, address: string): boolean => {
    if (ipBlock !== undefined) {
      const contains = (cidr: string): boolean => parseRange(cidr).offsetOf(address) !== undefined;
      return contains(ipBlock.cidr ?? '') && !(ipBlock.except ?? []).some(contains);
    }
    const metadata = at(address)?.metadata;
    if (metadata === undefined) return false;
    const there =
      namespaceSelector === undefined ? metadata.namespace === space : labelled(namespaceSelector, { ns: metadata.namespace ?? '' });
    return there && labelled(podSelector, metadata.labels);
  };
  const isPort = ({ protocol = 'TCP', port, endPort }: NetworkPolicyPort): boolean => {
    if (protocol !== packet.protocol) return false;
    if (typeof port === 'number') return packet.port >= port && packet.port <= (endPort ?? port);
    const web = at(packet.to)?.spec.containers[0]?.ports?.[0];
    return port === undefined || (web?.name === port && web.containerPort === packet.port && protocol === 'TCP');
  };
  const side = (type: string, self: string, other: string): boolean => {
    const own = at(self);
    const selecting = policies.filter(
      ({ metadata, spec }) =>
        own !== undefined &&
        metadata.namespace === own.metadata.namespace &&
        (spec.policyTypes ?? []).includes(type) &&
        labelled(spec.podSelector, own.metadata.labels),
    );
    const rules = (spec: NetworkPolicy['spec']) =>
      type === 'Ingress'
        ? (spec.ingress ?? []).map(({ from = [], ports = [] }) => ({ peers: from, ports }))
        : (spec.egress ?? []).map(({ to = [], ports = [] }) => ({ peers: to, ports }));
    return (
      selecting.length === 0 ||
      selecting.some(({ metadata, spec }) =>
        rules(spec).some(
          ({ peers, ports }) =>
            (peers.length === 0 || peers.some((peer) => isPeer(metadata.namespace, peer, other))) &&
            (ports.length === 0 || ports.some(isPort)),
        ),
      )
    );
  };
  return side('Egress', packet.from, packet.to) && side('Ingress', packet.to, packet.from);
}

const anyLabels = fc.constantFrom({}, { matchLabels: { app: 'a' } }, { matchLabels: { app: 'b' } });
const anyNamespaces = fc.constantFrom({}, { matchLabels: { ns: 'x' } }, { matchLabels: { ns: 'z' } });
const anyPeer = fc.oneof(
  fc.record({ podSelector: anyLabels }),
  fc.record({ namespaceSelector: anyNamespaces }),
  fc.record({ podSelector: anyLabels, namespaceSelector: anyNamespaces }),
  fc.constantFrom(
    { ipBlock: { cidr: '0.0.0.0/0' } },
    { ipBlock: { cidr: '10.0.0.0/23', except: ['10.0.1.0/24'] } },
    { ipBlock: { cidr: '192.0.2.0/24' } },
  ),
);
const anyPort = fc.constantFrom<NetworkPolicyPort>(
  { port: 80 },
  { port: 8000, endPort: 9000 },
  { port: 'web', protocol: 'TCP' },
  { protocol: 'UDP' },
  { protocol: 'UDP', port: 80 },
);
const anyPolicy = fc
  .record({
    space: fc.constantFrom('x', 'y'),
    podSelector: anyLabels,
    policyTypes: fc.constantFrom(['Ingress'], ['Egress'], ['Ingress', 'Egress']),
    ingress: fc.array(fc.record({ from: fc.array(anyPeer, { maxLength: 2 }), ports: fc.array(anyPort, { maxLength: 2 }) }), {
      maxLength: 2,
    }),
    egress: fc.array(fc.record({ to: fc.array(anyPeer, { maxLength: 2 }), ports: fc.array(anyPort, { maxLength: 2 }) }), { maxLength: 2 }),
  })
  .map(({ space, ...spec }) => ({ space, spec }));
const anyPolicies = fc
  .array(anyPolicy, { maxLength: 3 })
  .map((list) => list.map(({ space, spec }, index) => policy(`p${index}`, space, spec)));
const anyAddress = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.1.1', '10.0.1.2', '192.0.2.7');
const anyPacket = fc.record({
  from: anyAddress,
  to: anyAddress,
  protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
  port: fc.constantFrom(80, 8080, 9000, 53),
});

describe('compiled network policies', () => {
  test('let through what the policies say, and nothing else', () => {
    fc.assert(
      fc.property(anyPolicies, fc.array(anyPacket, { minLength: 10, maxLength: 30 }), (policies, packets) => {
        const program = compile(policies);
        for (const packet of packets) expect(passes(program, packet), JSON.stringify(packet)).toBe(allowed(policies, packet));
      }),
      { numRuns: 300 },
    );
  });

  test('change into themselves by nothing, and into none by taking all away', () => {
    fc.assert(
      fc.property(anyPolicies, (policies) => {
        const program = compile(policies);
        expect(programChange('t', program, program)).toEqual([]);
        const made = programChange('t', emptyProgram, program).filter((line) => /^add (set|chain)/.test(line));
        const gone = programChange('t', program, emptyProgram).filter((line) => /^delete (set|chain)/.test(line));
        expect(gone).toHaveLength(made.length);
      }),
    );
  });

  test.each<[string, AllowRule, string]>([
    ['everything', { family: 'IPv4' }, 'meta nfproto ipv4 accept'],
    [
      'a block without a part of it',
      { family: 'IPv4', peer: { kind: 'block', cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
      'ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 accept',
    ],
    [
      'ports that overlap, joined',
      {
        family: 'IPv6',
        peer: { kind: 'set', set: 's' },
        port: {
          kind: 'ranges',
          protocol: 'TCP',
          ranges: [
            [90, 100],
            [80, 80],
            [81, 95],
          ],
        },
      },
      'ip6 saddr @s meta l4proto tcp th dport { 80-100 } accept',
    ],
  ])('say %s', (_, rule, text) => {
    expect(ruleText(rule, 'ingress')).toBe(text);
  });
});
