import { formatIp, parseCidr, parseIp } from './ip-address.ts';

export type IpFamily = 'IPv4' | 'IPv6';

const numberOf = (bytes: readonly number[]): bigint => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

function bytesOf(number: bigint, length: number): number[] {
  return Array.from({ length }, (_, index) => Number((number >> BigInt(8 * (length - 1 - index))) & 0xffn));
}

/** A range of addresses, as of Services or pods. */
export interface AddressRange {
  readonly family: IpFamily;
  /** As given. */
  readonly text: string;
  /** Number of leading bits that all addresses share. */
  readonly prefixLength: number;
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
    prefixLength: prefix.length,
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
