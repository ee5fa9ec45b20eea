import type { Dialect } from './dialect.ts';

/** The bit of a packet's mark that asks for masquerading: the one that upstream's proxies use. */
export const MASQUERADE_MARK = '0x4000';

export interface SkeletonOptions {
  /** Addresses at which node ports answer. */
  readonly nodeIps: readonly string[];
  /** Ranges of Service addresses: what no Service has is dropped. */
  readonly serviceCidrs: readonly string[];
  /**
   * Pods on one bridge whose packets do not pass this table (no br_netfilter): replies between two of them would miss the translation, so
   * what goes from one to another through a Service is masqueraded. Empty: not needed.
   */
  readonly bridgedCidrs: readonly string[];
  /** 127.0.0.1 serves node ports too, so packets of others to 127.0.0.0/8 have to be kept out. */
  readonly localhost: boolean;
}

/**
 * Everything of a table that does not depend on Services. A packet's way: its first one is looked up in `services` (address, protocol,
 * port) or `node-ports`, whose verdict leads into the chain of a Service's port, which translates the destination. What is still
 * addressed to a Service when it reaches the filters has no endpoint, and meets `no-endpoints`.
 */
export function skeleton(dialect: Dialect, options: SkeletonOptions): string {
  return [...maps(dialect, options), ...nat(dialect, options), ...filters(dialect, options)].join('\n');
}

function maps({ ip, address }: Dialect, { nodeIps, serviceCidrs }: SkeletonOptions): string[] {
  const toPort = `type ${address} . inet_proto . inet_service : verdict;`;
  const elements = (members: readonly string[]): string => (members.length === 0 ? '' : ` elements = { ${members.join(', ')} };`);
  return [
    `set cluster-ips { type ${address}; }`,
    `set node-ips { type ${address};${elements(nodeIps)} }`,
    `set service-cidrs { type ${address}; flags interval; auto-merge;${elements(serviceCidrs)} }`,
    `set hairpin { type ${address} . ${address}; }`,
    `map services { ${toPort} }`,
    'map node-ports { type inet_proto . inet_service : verdict; }',
    `map no-endpoints { ${toPort} }`,
    'map no-endpoint-node-ports { type inet_proto . inet_service : verdict; }',
    `map firewalls { ${toPort} }`,
    // A reset, as ICMP does not reach this machine's own TCP clients where the route to Services leads to the loopback device.
    'chain reject-it { meta l4proto tcp reject with tcp reset; reject; }',
    `chain mark-for-masquerade { meta mark set meta mark or ${MASQUERADE_MARK}; }`,
    `chain to-services {
  ${ip} daddr . meta l4proto . th dport vmap @services;
  ${ip} daddr @node-ips meta l4proto . th dport vmap @node-ports;
}`,
  ];
}

function nat({ ip }: Dialect, { bridgedCidrs }: SkeletonOptions): string[] {
  const bridged = bridgedCidrs.map(
    (cidr) => `ct status dnat ${ip} saddr ${cidr} ${ip} daddr ${cidr} oifname != "lo" masquerade fully-random;`,
  );
  return [
    'chain nat-prerouting { type nat hook prerouting priority -100; jump to-services; }',
    'chain nat-output { type nat hook output priority -100; jump to-services; }',
    `chain nat-postrouting {
  type nat hook postrouting priority 100;
  oifname != "lo" meta mark and ${MASQUERADE_MARK} != 0 jump masquerade-it;
  ct status dnat ${ip} saddr . ${ip} daddr @hairpin oifname != "lo" masquerade fully-random;
  ${bridged.join('\n  ')}
}`,
    `chain masquerade-it { meta mark set meta mark xor ${MASQUERADE_MARK}; masquerade fully-random; }`,
  ].reverse(); // Chains before those that lead into them.
}

function filters({ ip }: Dialect, { localhost }: SkeletonOptions): string[] {
  const firewall = `ct state new ${ip} daddr . meta l4proto . th dport vmap @firewalls;`;
  return [
    `chain unserved {
  ${ip} daddr . meta l4proto . th dport vmap @no-endpoints;
  ${ip} daddr @node-ips meta l4proto . th dport vmap @no-endpoint-node-ports;
  ${ip} daddr @cluster-ips goto reject-it;
  ${ip} daddr @service-cidrs drop;
}`,
    `chain firewall-prerouting { type filter hook prerouting priority -110; ${firewall} }`,
    `chain firewall-output { type filter hook output priority -110; ${firewall} }`,
    'chain filter-input { type filter hook input priority -110; ct state new jump unserved; }',
    'chain filter-forward { type filter hook forward priority -110; ct state new jump unserved; }',
    // After the translation of what this machine sends: what has an endpoint is no longer addressed to the Service.
    'chain filter-output { type filter hook output priority -90; ct state new jump unserved; }',
    ...(localhost
      ? ['chain guard-localhost { type filter hook prerouting priority raw; iifname != "lo" ip daddr 127.0.0.0/8 drop; }']
      : []),
  ];
}
