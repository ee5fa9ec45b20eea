import type { Family } from '../model/addresses.ts';

/** The words of nftables for one family of addresses. */
export interface Dialect {
  readonly family: Family;
  /** Also the family of the table. */
  readonly ip: 'ip' | 'ip6';
  /** Type of an address in sets. */
  readonly address: 'ipv4_addr' | 'ipv6_addr';
  /** What `dnat to` takes. */
  target(ip: string, port: number): string;
}

export const dialects: Readonly<Record<Family, Dialect>> = {
  IPv4: { family: 'IPv4', ip: 'ip', address: 'ipv4_addr', target: (ip, port) => `${ip}:${port}` },
  IPv6: { family: 'IPv6', ip: 'ip6', address: 'ipv6_addr', target: (ip, port) => `[${ip}]:${port}` },
};
