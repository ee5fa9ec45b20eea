import { formatIp, isMappedV4, parseCidr, parseIp } from '@orrery/apimachinery';

export type IpFamily = 'IPv4' | 'IPv6';

/** The family of an address in a form that new fields take; undefined when it is none. */
export function familyOf(address: string): IpFamily | undefined {
  const ip = parseIp(address);
  if (ip === undefined || ip.leadingZeros || isMappedV4(ip)) return undefined;
  return ip.version === 4 ? 'IPv4' : 'IPv6';
}

const numberOf = (bytes: readonly number[]): bigint => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

function bytesOf(number: bigint, length: number): number[] {
  return Array.from({ length }, (_, index) => Number((number >> BigInt(8 * (length - 1 - index))) & 0xffn));
}

/** A range of addresses, as of Services or pods. */
export interface AddressRange {
  readonly family: IpFamily;
  /** As given. */
  readonly text: string;
  /** Number of addresses, network and broadcast included. */
  readonly size: bigint;
  /** The address `offset` after the first. */
  at(offset: bigint): string;
  /** Inverse of {@link AddressRange.at}; undefined for an address outside. */
  offsetOf(address: string): bigint | undefined;
}

/** @throws Error for a text that is no CIDR: a mistake in the configuration. */
export function parseRange(text: string): AddressRange {
  const prefix = parseCidr(text);
  if (prefix === undefined) throw new Error(`${JSON.stringify(text)} is not a CIDR such as 10.96.0.0/12`);
  const { version, bytes } = prefix.address;
  const family: IpFamily = version === 4 ? 'IPv4' : 'IPv6';
  const size = 1n << BigInt(bytes.length * 8 - prefix.length);
  const first = (numberOf(bytes) / size) * size;
  return {
    family,
    text,
    size,
    at: (offset) => formatIp({ version, bytes: bytesOf(first + offset, bytes.length), leadingZeros: false }),
    offsetOf(address) {
      const ip = parseIp(address);
      if (ip === undefined || ip.version !== version) return undefined;
      const offset = numberOf(ip.bytes) - first;
      return offset >= 0n && offset < size ? offset : undefined;
    },
  };
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
