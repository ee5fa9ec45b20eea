import { isIPv4, isIPv6 } from 'node:net';

export type Family = 'IPv4' | 'IPv6';

/** Undefined for what is no address. */
export function familyOf(address: string): Family | undefined {
  if (isIPv4(address)) return 'IPv4';
  return isIPv6(address) ? 'IPv6' : undefined;
}

/** The family of a CIDR such as `10.244.0.0/16`. */
export const familyOfCidr = (cidr: string): Family | undefined => familyOf(cidr.slice(0, Math.max(cidr.indexOf('/'), 0)));

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export const hostPort = (address: string, port: number): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
