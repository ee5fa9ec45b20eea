import { isDeepStrictEqual } from 'node:util';
import type { IpFamily } from '@orrery/apimachinery';
import type { AddressSet, AllowRule, Direction, PolicyProgram } from './program.ts';

const ip = (family: IpFamily): string => (family === 'IPv4' ? 'ip' : 'ip6');
const addressType = (family: IpFamily): string => (family === 'IPv4' ? 'ipv4_addr' : 'ipv6_addr');
const familyOf = (address: string): IpFamily => (address.includes(':') ? 'IPv6' : 'IPv4');
const directions: readonly Direction[] = ['ingress', 'egress'];

/** One rule in nftables' words. */
export function ruleText({ family, peer, port }: AllowRule, direction: Direction): string {
  const side = `${ip(family)} ${direction === 'ingress' ? 'saddr' : 'daddr'}`;
  const parts: string[] = [];
  if (peer === undefined) parts.push(`meta nfproto ${family.toLowerCase()}`);
  else if (peer.kind === 'set') parts.push(`${side} @${peer.set}`);
  else {
    parts.push(`${side} ${peer.cidr}`);
    for (const text of peer.except) parts.push(`${side} != ${text}`);
  }
  if (port?.kind === 'protocol') parts.push(`meta l4proto ${port.protocol.toLowerCase()}`);
  if (port?.kind === 'named') parts.push(`meta l4proto { tcp, udp, sctp } ${ip(family)} daddr . meta l4proto . th dport @${port.set}`);
  if (port?.kind === 'ranges') parts.push(`meta l4proto ${port.protocol.toLowerCase()} th dport { ${mergedRanges(port.ranges)} }`);
  return [...parts, 'accept'].join(' ');
}

/** Overlapping ranges joined: nftables refuses them. */
function mergedRanges(ranges: readonly (readonly [number, number])[]): string {
  const merged: [number, number][] = [];
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}

const podChain = (direction: Direction, address: string): string => `pod_${direction}_${address.replaceAll(/[^0-9a-f]/g, '_')}`;
const verdictMap = (direction: Direction, family: IpFamily): string => `${direction}${family === 'IPv4' ? '4' : '6'}`;

/**
 * The table without any policy. What is established stays; a packet passes egress rules of its sender, then ingress rules of its receiver.
 * Only forwarded packets are judged: traffic between a pod and its own node is always allowed.
 */
export function policyTableText(table: string): string {
  const maps = directions.flatMap((direction) =>
    (['IPv4', 'IPv6'] as const).map((family) => `  map ${verdictMap(direction, family)} {\n    type ${addressType(family)} : verdict\n  }`),
  );
  const chains = directions.map(
    (direction) => `  chain ${direction} {
    type filter hook forward priority ${direction === 'egress' ? -2 : -1}; policy accept;
    ct state established,related accept
    ip ${direction === 'egress' ? 'saddr' : 'daddr'} vmap @${verdictMap(direction, 'IPv4')}
    ip6 ${direction === 'egress' ? 'saddr' : 'daddr'} vmap @${verdictMap(direction, 'IPv6')}
  }`,
  );
  return [`table inet ${table}`, `delete table inet ${table}`, `table inet ${table} {`, ...maps, ...chains, '}'].join('\n');
}

interface Rendered {
  readonly sets: ReadonlyMap<string, AddressSet>;
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly elements: ReadonlySet<string>; // `<map> { <address>` and the chain, see below.
}

function rendered({ sets, chains, isolated }: PolicyProgram): Rendered {
  const texts = new Map<string, readonly string[]>();
  const elements = new Set<string>();
  for (const [name, rules] of chains)
    texts.set(
      name,
      rules.map((rule) => ruleText(rule, name.startsWith('i_') ? 'ingress' : 'egress')),
    );
  for (const direction of directions) {
    for (const [address, names] of isolated[direction]) {
      const chain = podChain(direction, address);
      texts.set(chain, [...names.map((name) => `jump ${name}`), 'drop']);
      elements.add(`${verdictMap(direction, familyOf(address))} { ${address} : jump ${chain} }`);
    }
  }
  return { sets, chains: texts, elements };
}

const minus = <T>(a: Iterable<T>, b: { has(item: T): boolean }): T[] => [...a].filter((item) => !b.has(item));
const list = (verb: string, table: string, set: string, elements: readonly string[]): string[] =>
  elements.length === 0 ? [] : [`${verb} element inet ${table} ${set} { ${elements.join(', ')} }`];

function setLines(table: string, old: Rendered, next: Rendered): string[] {
  return [...next.sets].flatMap(([name, { family, type, elements }]) => {
    const before = old.sets.get(name);
    const words = type === 'addresses' ? addressType(family) : `${addressType(family)} . inet_proto . inet_service`;
    const made = before === undefined ? [`add set inet ${table} ${name} { type ${words} ; }`] : [];
    const known = before?.elements ?? new Set<string>();
    return [...made, ...list('delete', table, name, minus(known, elements)), ...list('add', table, name, minus(elements, known))];
  });
}

/** The transaction that makes `next` of `old`; empty where nothing changes. In this order nothing is referred to that is not there. */
export function programChange(table: string, oldProgram: PolicyProgram, nextProgram: PolicyProgram): string[] {
  const old = rendered(oldProgram);
  const next = rendered(nextProgram);
  const added = minus(next.chains.keys(), old.chains);
  const removed = minus(old.chains.keys(), next.chains);
  const changed = [...next.chains]
    .filter(([name, rules]) => old.chains.has(name) && !isDeepStrictEqual(old.chains.get(name), rules))
    .map(([name]) => name);
  const fill = [...added, ...changed];
  return [
    ...setLines(table, old, next),
    ...minus(old.elements, next.elements).map((element) => `delete element inet ${table} ${element}`),
    ...added.map((name) => `add chain inet ${table} ${name}`),
    ...[...changed, ...removed].map((name) => `flush chain inet ${table} ${name}`),
    ...fill.flatMap((name) => (next.chains.get(name) ?? []).map((rule) => `add rule inet ${table} ${name} ${rule}`)),
    ...minus(next.elements, old.elements).map((element) => `add element inet ${table} ${element}`),
    ...removed.map((name) => `delete chain inet ${table} ${name}`),
    ...minus(old.sets.keys(), next.sets).map((name) => `delete set inet ${table} ${name}`),
  ];
}
