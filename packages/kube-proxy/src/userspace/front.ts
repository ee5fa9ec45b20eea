import { BlockList } from 'node:net';
import { familyOf } from '../model/addresses.ts';
import type { ProxyEndpoint } from '../model/endpoint.ts';
import type { ProxyPort } from '../model/service-port.ts';

/** One address and port of this machine that leads into a Service. */
export interface Front {
  readonly key: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly address: string;
  readonly port: number;
  /** Never empty: where nobody serves nobody listens, so that clients are refused. */
  readonly endpoints: readonly ProxyEndpoint[];
  readonly affinitySeconds: number | undefined;
  /** CIDRs that may come in; empty: all. */
  readonly sourceRanges: readonly string[];
  /** A virtual address: may have to be put on the loopback device first. */
  readonly isVirtual: boolean;
  readonly source: ProxyPort;
}

/** Where a port of a Service is to be served. @param nodeIps - Where node ports answer. */
export function frontsOf(port: ProxyPort, nodeIps: readonly string[]): Front[] {
  const { protocol, endpoints, internalLocal, externalLocal, family } = port;
  if (protocol === 'SCTP') return []; // Node has no SCTP.
  const front = (address: string, number: number, internal: boolean, sourceRanges: readonly string[] = []): Front[] => {
    const served = (internal ? internalLocal : externalLocal) ? endpoints.local : endpoints.cluster;
    if (served.length === 0) return [];
    const { affinitySeconds } = port;
    const key = `${protocol} ${address} ${number}`;
    return [{ key, protocol, address, port: number, endpoints: served, affinitySeconds, sourceRanges, isVirtual: internal, source: port }];
  };
  return [
    ...front(port.clusterIp, port.port, true),
    ...[...port.externalIps].flatMap((ip) => front(ip, port.port, false)),
    ...port.loadBalancerIps.flatMap((ip) => front(ip, port.port, false, port.sourceRanges)),
    ...(port.nodePort === 0 ? [] : nodeIps.filter((ip) => familyOf(ip) === family).flatMap((ip) => front(ip, port.nodePort, false))),
  ];
}

/** Whether one at `address` may come in. */
export function admits({ sourceRanges }: Front, address: string): boolean {
  if (sourceRanges.length === 0) return true;
  const allowed = new BlockList();
  for (const range of sourceRanges) {
    const [network = '', length = '0'] = range.split('/');
    allowed.addSubnet(network, Number(length), familyOf(network) === 'IPv6' ? 'ipv6' : 'ipv4');
  }
  return allowed.check(address, familyOf(address) === 'IPv6' ? 'ipv6' : 'ipv4');
}
