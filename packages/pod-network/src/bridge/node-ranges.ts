import { type AddressRange, parseRange } from '@orrery/apimachinery';
import { PodNetworkError } from '../pod-network-error.ts';

/** What this node gives addresses from: one range for each family, the main one first. */
export interface NodeRanges {
  readonly ranges: readonly AddressRange[];
  /** The bridge's address in each range: its first host address. */
  readonly gateways: readonly string[];
  readonly firstSlot: number;
  readonly lastSlot: number;
  /** The addresses of a slot, one of each range. */
  addressesOf(slot: number): readonly string[];
}

const SLOT_MAX = 0xffff; // See names.ts.

/** @throws PodNetworkError `InvalidConfiguration` */
export function parseNodeRanges(podCidrs: readonly string[]): NodeRanges {
  const ranges = podCidrs.map((text) => {
    try {
      return parseRange(text);
    } catch (error) {
      throw new PodNetworkError('InvalidConfiguration', `pod CIDR ${text}: ${(error as Error).message}`, { cause: error });
    }
  });
  const families = new Set(ranges.map(({ family }) => family));
  if (ranges.length === 0 || families.size !== ranges.length) {
    throw new PodNetworkError('InvalidConfiguration', 'a node has one pod CIDR of each address family, and at least one');
  }
  const small = ranges.find(({ size }) => size < 8n);
  if (small !== undefined) throw new PodNetworkError('InvalidConfiguration', `pod CIDR ${small.text} is too small`);
  const hosts = ranges.map(({ size }) => (size > BigInt(SLOT_MAX) ? SLOT_MAX : Number(size) - 2)); // The last is the broadcast address.
  return {
    ranges,
    gateways: ranges.map((range) => range.at(1n)),
    firstSlot: 2,
    lastSlot: Math.min(...hosts),
    addressesOf: (slot) => ranges.map((range) => range.at(BigInt(slot))),
  };
}

/** A MAC address that follows from an IPv4 address, locally administered; for IPv6 from its last four bytes. */
export function macOf(range: AddressRange, slot: number, prefix = '0a:58'): string {
  const offset = range.offsetOf(range.at(BigInt(slot)));
  const number = range.family === 'IPv4' ? ipv4Number(range.at(BigInt(slot))) : Number((offset ?? 0n) & 0xffffffffn);
  const bytes = [24, 16, 8, 0].map((shift) => ((number >>> shift) & 0xff).toString(16).padStart(2, '0'));
  return `${prefix}:${bytes.join(':')}`;
}

const ipv4Number = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
