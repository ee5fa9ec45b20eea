import type { ServiceSpec } from '@orrery/api/core/v1';
import { type Draft, type FieldError, invalid, newInternalError } from '@orrery/apimachinery';
import type { Random } from '@orrery/base';
import type { AddressRange } from '../../registry/addresses.ts';
import { familyOf } from '../../registry/addresses.ts';
import type { Taken } from './taken.ts';

/** Addresses at the start of a range are left to those who ask for one (KEP-3070): a sixteenth, 16 to 256 of them. */
const STATIC_MIN = 16n;
const STATIC_MAX = 256n;
/** Of a vast range only so much is handed out. */
const SIZE_MAX = 1n << 24n;
const CLUSTER_IPS = 'spec.clusterIPs';

/** Gives the Service the addresses of its families that it has not asked for itself. @throws StatusError InternalError when a range is full. */
export function allocateClusterIps(spec: Draft<ServiceSpec>, ranges: readonly AddressRange[], taken: Taken, random: Random): FieldError[] {
  const errors: FieldError[] = [];
  const given = spec.clusterIPs ?? [];
  const wanted = (spec.ipFamilies ?? []).map((family) => ranges.find((range) => range.family === family));
  const ips = wanted.map((range, index) => {
    const asked = given[index];
    if (asked !== undefined && asked !== '') {
      const reason = claim(asked, ranges, taken);
      if (reason !== undefined) errors.push(invalid(CLUSTER_IPS, given, `failed to allocate IP ${asked}: ${reason}`));
      return asked;
    }
    return range === undefined ? '' : pick(range, taken, random);
  });
  if (errors.length > 0) return errors;
  spec.clusterIPs = ips.filter((ip) => ip !== '');
  spec.clusterIP = spec.clusterIPs[0] ?? '';
  return [];
}

/** Takes one address; answers why it cannot. */
function claim(ip: string, ranges: readonly AddressRange[], taken: Taken): string | undefined {
  const range = ranges.find(({ family }) => family === familyOf(ip));
  const offset = range?.offsetOf(ip);
  if (range === undefined || offset === undefined || !usable(range, offset)) {
    return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${(range ?? ranges[0])?.text}`;
  }
  if (taken.has(ip)) return 'provided IP is already allocated';
  taken.take(ip);
  return undefined;
}

/** Not the network's own address, nor IPv4's broadcast. */
const usable = ({ family, size }: AddressRange, offset: bigint): boolean => offset > 0n && (family === 'IPv6' || offset < size - 1n);

/** A free address: somewhere in the dynamic part, else anywhere. */
function pick(range: AddressRange, taken: Taken, random: Random): string {
  const size = range.size < SIZE_MAX ? range.size : SIZE_MAX;
  const sixteenth = size / 16n;
  const bounded = sixteenth < STATIC_MIN ? STATIC_MIN : sixteenth > STATIC_MAX ? STATIC_MAX : sixteenth;
  const start = bounded < size ? bounded : 0n;
  const ip = scan(range, start, size, taken, random) ?? scan(range, 0n, start, taken, random);
  if (ip === undefined) throw newInternalError(new Error('failed to allocate a serviceIP: range is full'));
  taken.take(ip);
  return ip;
}

function scan(range: AddressRange, start: bigint, end: bigint, taken: Taken, random: Random): string | undefined {
  const count = Number(end - start);
  if (count <= 0) return undefined;
  const first = random.integer(count);
  for (let step = 0; step < count; step++) {
    const offset = start + BigInt((first + step) % count);
    const ip = range.at(offset);
    if (usable(range, offset) && !taken.has(ip)) return ip;
  }
  return undefined;
}
