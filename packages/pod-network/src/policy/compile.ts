import type { Namespace, Pod } from '@orrery/api/core/v1';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '@orrery/api/networking/v1';
import { type IpFamily, type LabelSelector, parseCidr, type Selector, selectorFromLabelSelector } from '@orrery/apimachinery';
import type { AddressSet, AllowRule, Direction, PeerMatch, PolicyProgram, PortMatch } from './program.ts';

/** A pod with the addresses that rules know it by. */
export interface PodWithAddresses {
  readonly pod: Pod;
  readonly addresses: readonly string[];
}

export interface PolicyInput {
  readonly policies: readonly NetworkPolicy[];
  readonly namespaces: readonly Namespace[];
  /** Pods of the whole cluster that are to be known by their addresses: no ended ones, none on the host's network. */
  readonly pods: readonly PodWithAddresses[];
  /** Those of this node, by uid. */
  readonly isLocal: (uid: string) => boolean;
  readonly families: readonly IpFamily[];
}

interface Rule {
  readonly peers: readonly NetworkPolicyPeer[];
  readonly ports: readonly NetworkPolicyPort[];
}

const familyOf = (address: string): IpFamily => (address.includes(':') ? 'IPv6' : 'IPv4');
const everything = selectorFromLabelSelector({});
const selectorOf = (selector: LabelSelector | undefined): Selector =>
  selector === undefined ? everything : selectorFromLabelSelector(selector);
const suffix = (family: IpFamily): string => (family === 'IPv4' ? '4' : '6');

/** The number of a port of a pod by its name: of containers and of init containers that go on (KEP-753). */
function portNumbers({ spec }: Pod, name: string, protocol: string): number[] {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...spec.containers, ...sidecars].flatMap(({ ports }) =>
    (ports ?? [])
      .filter((port) => port.name === name && (port.protocol ?? 'TCP') === protocol)
      .flatMap(({ containerPort }) => (containerPort === undefined ? [] : [containerPort])),
  );
}

class Compilation {
  readonly sets = new Map<string, AddressSet>();
  private readonly input: PolicyInput;
  private readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>;

  constructor(input: PolicyInput) {
    this.input = input;
    this.namespaceLabels = new Map(input.namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  }

  /** Source: NetworkPolicyPeer: a selector that is absent says "the policy's namespace", or "all pods". */
  podsOf(peer: NetworkPolicyPeer, namespace: string): PodWithAddresses[] {
    if (peer.ipBlock !== undefined) return [];
    const inNamespace = peer.namespaceSelector === undefined ? undefined : selectorOf(peer.namespaceSelector);
    const bySelf = selectorOf(peer.podSelector);
    return this.input.pods.filter(({ pod: { metadata } }) => {
      const labels = this.namespaceLabels.get(metadata.namespace ?? '');
      const there = inNamespace === undefined ? metadata.namespace === namespace : labels !== undefined && inNamespace.matches(labels);
      return there && bySelf.matches(metadata.labels ?? {});
    });
  }

  /** Rules of all families of one rule of a policy. `targets` are the pods that its ports belong to. */
  rules(name: string, rule: Rule, namespace: string, targets: readonly PodWithAddresses[]): AllowRule[] {
    return this.input.families.flatMap((family) => {
      const peers = this.peerMatches(`${name}_a${suffix(family)}`, rule.peers, namespace, family);
      const ports = this.portMatches(`${name}_n${suffix(family)}`, rule.ports, targets, family);
      return peers.flatMap((peer) =>
        ports.map((port) => ({ family, ...(peer === undefined ? {} : { peer }), ...(port === undefined ? {} : { port }) })),
      );
    });
  }

  private peerMatches(set: string, peers: readonly NetworkPolicyPeer[], namespace: string, family: IpFamily): (PeerMatch | undefined)[] {
    if (peers.length === 0) return [undefined];
    const blocks = peers.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : blockMatch(ipBlock, family)));
    if (peers.every(({ ipBlock }) => ipBlock !== undefined)) return blocks;
    const addresses = peers.flatMap((peer) => this.podsOf(peer, namespace).flatMap((pod) => pod.addresses));
    this.sets.set(set, { family, type: 'addresses', elements: new Set(addresses.filter((address) => familyOf(address) === family)) });
    return [{ kind: 'set', set }, ...blocks];
  }

  private portMatches(
    set: string,
    ports: readonly NetworkPolicyPort[],
    targets: readonly PodWithAddresses[],
    family: IpFamily,
  ): (PortMatch | undefined)[] {
    if (ports.length === 0) return [undefined];
    const matches: PortMatch[] = [];
    for (const protocol of new Set(ports.map((port) => port.protocol ?? 'TCP'))) {
      const ofProtocol = ports.filter((port) => (port.protocol ?? 'TCP') === protocol);
      const ranges = ofProtocol.flatMap(({ port, endPort }) => (typeof port === 'number' ? [[port, endPort ?? port] as const] : []));
      if (ofProtocol.some(({ port }) => port === undefined)) matches.push({ kind: 'protocol', protocol });
      else if (ranges.length > 0) matches.push({ kind: 'ranges', protocol, ranges });
    }
    const named = ports.flatMap(({ port, protocol = 'TCP' }) => (typeof port === 'string' ? [{ name: port, protocol }] : []));
    if (named.length === 0) return matches;
    const elements = targets.flatMap(({ pod, addresses }) =>
      named.flatMap(({ name, protocol }) =>
        portNumbers(pod, name, protocol).flatMap((number) =>
          addresses
            .filter((address) => familyOf(address) === family)
            .map((address) => `${address} . ${protocol.toLowerCase()} . ${number}`),
        ),
      ),
    );
    this.sets.set(set, { family, type: 'ports', elements: new Set(elements) });
    return [...matches, { kind: 'named', set }];
  }
}

function blockMatch({ cidr = '', except = [] }: IPBlock, family: IpFamily): PeerMatch[] {
  if (parseCidr(cidr) === undefined || familyOf(cidr) !== family) return [];
  return [{ kind: 'block', cidr, except: except.filter((text) => parseCidr(text) !== undefined && familyOf(text) === family) }];
}

const rulesOf = ({ spec }: NetworkPolicy, direction: Direction): readonly Rule[] =>
  direction === 'ingress'
    ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from ?? [], ports: ports ?? [] }))
    : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to ?? [], ports: ports ?? [] }));

const appliesTo = ({ spec }: NetworkPolicy, direction: Direction): boolean =>
  (spec.policyTypes ?? ['Ingress']).includes(direction === 'ingress' ? 'Ingress' : 'Egress');

const nameOf = ({ metadata }: NetworkPolicy, direction: Direction): string =>
  `${direction === 'ingress' ? 'i' : 'e'}_${metadata.uid.replaceAll(/[^A-Za-z0-9]/g, '')}`;

/** What the policies of a cluster ask of one node. Pure; ports of an egress rule that are named belong to the peers. */
export function compilePolicies(input: PolicyInput): PolicyProgram {
  const compilation = new Compilation(input);
  const chains = new Map<string, readonly AllowRule[]>();
  const isolated = { ingress: new Map<string, string[]>(), egress: new Map<string, string[]>() };
  for (const policy of input.policies) {
    const namespace = policy.metadata.namespace ?? '';
    const selected = compilation
      .podsOf({ podSelector: policy.spec.podSelector ?? {} }, namespace)
      .filter(({ pod }) => input.isLocal(pod.metadata.uid));
    if (selected.length === 0) continue;
    for (const direction of ['ingress', 'egress'] as const) {
      if (!appliesTo(policy, direction)) continue;
      const chain = nameOf(policy, direction);
      const rules = rulesOf(policy, direction).flatMap((rule, index) => {
        const anywhere = rule.peers.length === 0 || rule.peers.some(({ ipBlock }) => ipBlock !== undefined);
        const peers = anywhere ? input.pods : rule.peers.flatMap((peer) => compilation.podsOf(peer, namespace));
        return compilation.rules(`${chain}_${index}`, rule, namespace, direction === 'ingress' ? selected : peers);
      });
      chains.set(chain, rules);
      for (const address of selected.flatMap(({ addresses }) => addresses)) {
        isolated[direction].set(address, [...(isolated[direction].get(address) ?? []), chain]);
      }
    }
  }
  return { sets: compilation.sets, chains, isolated };
}
