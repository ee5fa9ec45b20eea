import { type AddressRange, type IpFamily, isMappedV4, parseIp, parseRange } from '@orrery/apimachinery';

export { type AddressRange, type IpFamily, parseRange };

/** The family of an address in a form that new fields take; undefined when it is none. */
export function familyOf(address: string): IpFamily | undefined {
  const ip = parseIp(address);
  if (ip === undefined || ip.leadingZeros || isMappedV4(ip)) return undefined;
  return ip.version === 4 ? 'IPv4' : 'IPv6';
}

const loopback = [parseRange('127.0.0.0/8'), parseRange('::1/128')];
const linkLocal = [parseRange('169.254.0.0/16'), parseRange('fe80::/10')];
const linkLocalMulticast = [parseRange('224.0.0.0/24'), parseRange('ff02::/16')];
const within = (address: string, ranges: readonly AddressRange[]): boolean => ranges.some((range) => range.offsetOf(address) !== undefined);

const hostLoopback = [parseRange('127.0.0.0/12')];

/** Whether the address is one that the process runtime gives to pods: on loopback, but none that programs of the host commonly use. */
export const isProcessPodAddress = (address: string): boolean =>
  address.startsWith('127.') && within(address, loopback) && !within(address, hostLoopback);

/** Why no endpoint may have this address; undefined for an ordinary one. Source: ValidateNonSpecialIP. */
export function specialAddressReason(address: string): string | undefined {
  const ip = parseIp(address);
  if (ip?.bytes.every((byte) => byte === 0)) return `may not be unspecified (${address})`;
  if (within(address, loopback)) return 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
  if (within(address, linkLocal)) return 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
  if (within(address, linkLocalMulticast)) return 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)';
  return undefined;
}
