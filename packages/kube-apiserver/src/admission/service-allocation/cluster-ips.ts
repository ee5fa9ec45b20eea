import type { ServiceSpec } from '@orrery/api/core/v1';
import { type Draft, type FieldError, invalid, newInternalError } from '@orrery/apimachinery';
import type { Random } from '@orrery/base';
import type { AddressRange } from '../../registry/addresses.ts';
import { familyOf } from '../../registry/addresses.ts';

/** Addresses at the start of a range are left to those who ask for one (KEP-3070): a sixteenth, 16 to 256 of them. */
const STATIC_MIN = 16n;
const STATIC_MAX = 256n;
/** Of a vast range only so much is handed out. */
const SIZE_MAX = 1n << 24n;
const CLUSTER_IPS = 'spec.clusterIPs';

/** Who else has an address, and what this write takes. */
export interface Addresses {
  isTaken(ip: string): Promise<boolean>;
  take(ip: string): void;
}

/** Gives the Service the addresses of its families that it has not asked for itself. @throws StatusError InternalError when all ranges are full. */
export async function allocateClusterIps(
  spec: Draft<ServiceSpec>,
  ranges: readonly AddressRange[],
  addresses: Addresses,
  random: Random,
): Promise<FieldError[]> {
  const errors: FieldError[] = [];
  const given = spec.clusterIPs ?? [];
  const ips: string[] = [];
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    const asked = given[index];
    if (asked !== undefined && asked !== '') {
      const reason = await claim(asked, ranges, addresses);
      if (reason !== undefined) errors.push(invalid(CLUSTER_IPS, given, `failed to allocate IP ${asked}: ${reason}`));
      ips.push(asked);
      continue;
    }
    const own = ranges.filter((range) => range.family === family);
    if (own.length > 0) ips.push(await pick(own, addresses, random));
  }
  if (errors.length > 0) return errors;
  spec.clusterIPs = ips;
  spec.clusterIP = ips[0] ?? '';
  return [];
}

/** Takes one address; answers why it cannot. */
async function claim(ip: string, ranges: readonly AddressRange[], addresses: Addresses): Promise<string | undefined> {
  const around = ranges.filter((range) => range.family === familyOf(ip) && range.offsetOf(ip) !== undefined);
  const [first] = around;
  if (first === undefined) return 'the provided network does not match the current range';
  if (!around.some((range) => usable(range, range.offsetOf(ip) ?? 0n))) {
    return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${first.text}`;
  }
  if (await addresses.isTaken(ip)) return 'provided IP is already allocated';
  addresses.take(ip);
  return undefined;
}

/** Not the network's own address, nor IPv4's broadcast. */
const usable = ({ family, size }: AddressRange, offset: bigint): boolean => offset > 0n && (family === 'IPv6' || offset < size - 1n);

/** A free address: somewhere in the dynamic part of the first range that has one, else anywhere. */
async function pick(ranges: readonly AddressRange[], addresses: Addresses, random: Random): Promise<string> {
  for (const range of ranges) {
    const size = range.size < SIZE_MAX ? range.size : SIZE_MAX;
    const sixteenth = size / 16n;
    const bounded = sixteenth < STATIC_MIN ? STATIC_MIN : sixteenth > STATIC_MAX ? STATIC_MAX : sixteenth;
    const start = bounded < size ? bounded : 0n;
    const ip = (await scan(range, start, size, addresses, random)) ?? (await scan(range, 0n, start, addresses, random));
    if (ip === undefined) continue;
    addresses.take(ip);
    return ip;
  }
  throw newInternalError(new Error('failed to allocate a serviceIP: range is full'));
}

async function scan(range: AddressRange, start: bigint, end: bigint, addresses: Addresses, random: Random): Promise<string | undefined> {
  const count = Number(end - start);
  if (count <= 0) return undefined;
  const first = random.integer(count);
  for (let step = 0; step < count; step++) {
    const offset = start + BigInt((first + step) % count);
    const ip = range.at(offset);
    if (usable(range, offset) && !(await addresses.isTaken(ip))) return ip;
  }
  return undefined;
}
