import type { AddressRange } from '@orrery/apimachinery';
import type { HostPort } from '@orrery/cri';
import type { InstanceNames } from '../names.ts';
import type { NodeRanges } from './node-ranges.ts';

// nft 1.0.6 wants a newline or a semicolon before each closing brace.

/** The words of nftables that differ between the families. */
interface FamilyWords {
  readonly ip: 'ip' | 'ip6';
  readonly type: 'ipv4_addr' | 'ipv6_addr';
  readonly suffix: '4' | '6';
  readonly icmp: 'icmp' | 'icmpv6';
  readonly redirect: 'redirect' | 'nd-redirect';
}

const words = ({ family }: Pick<AddressRange, 'family'>): FamilyWords =>
  family === 'IPv4'
    ? { ip: 'ip', type: 'ipv4_addr', suffix: '4', icmp: 'icmp', redirect: 'redirect' }
    : { ip: 'ip6', type: 'ipv6_addr', suffix: '6', icmp: 'icmpv6', redirect: 'nd-redirect' };

export interface HostRulesInput {
  readonly names: InstanceNames;
  readonly node: NodeRanges;
  /** Of all pods of the cluster: traffic to them keeps the pod's own address. */
  readonly clusterCidrs: readonly AddressRange[];
}

/** A pod with ports of the host, for {@link hostPortElements}. */
export interface HostPortOwner {
  readonly addresses: readonly string[];
  readonly hostPorts: readonly HostPort[];
}

const familySets = (range: AddressRange): string => {
  const { type, suffix } = words(range);
  return `
  map host_ports${suffix} {
    type inet_proto . inet_service : ${type} . inet_service
  }
  map host_ports_at${suffix} {
    type ${type} . inet_proto . inet_service : ${type} . inet_service
  }
  set hairpin${suffix} {
    type ${type} . ${type}
  }`;
};

const dnatRules = (range: AddressRange): string => {
  const { ip, suffix } = words(range);
  const ports = 'meta l4proto { tcp, udp, sctp }';
  return `
    ${ports} dnat ${ip} to ${ip} daddr . meta l4proto . th dport map @host_ports_at${suffix}
    ${ports} meta nfproto ${range.family.toLowerCase()} dnat ${ip} to meta l4proto . th dport map @host_ports${suffix}`;
};

const masqueradeRules = (range: AddressRange, { names, clusterCidrs }: HostRulesInput): string => {
  const { ip, suffix } = words(range);
  const kept = clusterCidrs.filter(({ family }) => family === range.family).map(({ text }) => text);
  const outside = `${ip} daddr != { ${[...new Set([range.text, ...kept])].join(', ')} }`;
  const multicast = range.family === 'IPv4' ? '224.0.0.0/4' : 'ff00::/8';
  return `
    ${ip} saddr . ${ip} daddr @hairpin${suffix} masquerade
    oifname != { "${names.bridge}", "${names.vxlan}" } ${ip} saddr ${range.text} ${outside} ${ip} daddr != ${multicast} masquerade`;
};

/**
 * The node's own table, whole: host ports (also on 127.0.0.1), the node's address for what pods send outside, and guards.
 *
 * Loopback addresses reach pods only because the bridge may route them (`route_localnet`); what comes from pods for them or as them is
 * dropped before anything else, so that no pod reaches what listens on the host's loopback.
 */
export function podTableText(input: HostRulesInput): string {
  const { names, node } = input;
  const each = (render: (range: AddressRange, index: number) => string): string => node.ranges.map(render).join('');
  const set = (...texts: readonly string[]): string => `{ ${texts.map((text) => `"${text}"`).join(', ')} }`;
  return `table inet ${names.podTable}
delete table inet ${names.podTable}
table inet ${names.podTable} {${each(familySets)}
  chain loopback_guard {
    type filter hook prerouting priority raw; policy accept;
    iifname "${names.bridge}" ip daddr 127.0.0.0/8 drop
    iifname "${names.bridge}" ip saddr 127.0.0.0/8 drop
  }
  chain host_ports {${each(dnatRules)}
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump host_ports
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump host_ports
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${names.bridge}" ip saddr 127.0.0.0/8 masquerade${each((range) => masqueradeRules(range, input))}
  }
  chain gateway_guard {
    type filter hook input priority filter; policy accept;${each(
      (range, index) => `
    ${words(range).ip} daddr ${node.gateways[index]} iifname != ${set(names.bridge, names.vxlan, 'lo')} drop`,
    )}
  }
  chain no_redirects {
    type filter hook output priority filter; policy accept;${each(
      (range) => `
    oifname "${names.bridge}" ${words(range).icmp} type ${words(range).redirect} drop`,
    )}
  }
}`;
}

/** Pods send to the gateway alone, which sees and judges everything; a frame that is made for another pod's link is dropped. */
export function guardTableText({ vethPrefix, guardTable }: InstanceNames, bridgeMac: string): string {
  return `table bridge ${guardTable}
delete table bridge ${guardTable}
table bridge ${guardTable} {
  chain prerouting {
    type filter hook prerouting priority -310; policy accept;
    iifname "${vethPrefix}*" ether type { ip, ip6 } ether daddr != ${bridgeMac} ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 drop
  }
}`;
}

const isV6 = (address: string): boolean => address.includes(':');
const isAny = (hostIp: string): boolean => hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::';

function portElements({ names }: Pick<HostRulesInput, 'names'>, verb: 'add' | 'delete', address: string, port: HostPort): string[] {
  const v6 = isV6(address);
  if (port.hostIp !== '' && isV6(port.hostIp) !== v6) return [];
  const suffix = v6 ? '6' : '4';
  const what = `${port.protocol.toLowerCase()} . ${port.hostPort}`;
  const target = verb === 'add' ? ` : ${address} . ${port.containerPort}` : '';
  return isAny(port.hostIp)
    ? [`${verb} element inet ${names.podTable} host_ports${suffix} { ${what}${target} }`]
    : [`${verb} element inet ${names.podTable} host_ports_at${suffix} { ${port.hostIp} . ${what}${target} }`];
}

/** Lines that add or take away the elements of one pod's host ports. */
export function hostPortElements(input: Pick<HostRulesInput, 'names'>, verb: 'add' | 'delete', owner: HostPortOwner): string[] {
  if (owner.hostPorts.length === 0) return [];
  return owner.addresses.flatMap((address) => [
    ...owner.hostPorts.flatMap((port) => portElements(input, verb, address, port)),
    `${verb} element inet ${input.names.podTable} hairpin${isV6(address) ? '6' : '4'} { ${address} . ${address} }`,
  ]);
}
