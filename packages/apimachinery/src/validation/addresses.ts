import { formatIp, isMappedV4, maskedAddress, parseCidr, parseIp } from './ip-address.ts';

// Upstream's texts and order (k8s.io/apimachinery/pkg/util/validation/ip.go with strict validation, KEP-4858).

const wrongIp = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const wrongCidr = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** An address that older fields take: no leading zeros, not IPv4-mapped, but not necessarily canonical. */
export function isIpForLegacyField(value: string): string[] {
  const address = parseIp(value);
  if (address === undefined) return [wrongIp];
  if (address.leadingZeros) return ['must not have leading 0s'];
  return isMappedV4(address) ? ['must not be an IPv4-mapped IPv6 address'] : [];
}

/** An address in canonical form (RFC 5952), for newer fields. */
export function isIp(value: string): string[] {
  const reasons = isIpForLegacyField(value);
  if (reasons.length > 0) return reasons;
  const address = parseIp(value);
  return address === undefined ? [wrongIp] : canonicalReasons(value, formatIp(address));
}

/** A network `address/length` that older fields take. */
export function isCidrForLegacyField(value: string): string[] {
  const prefix = parseCidr(value);
  if (prefix === undefined) return [wrongCidr];
  if (prefix.leadingZeros) return ['must not have leading 0s in IP or prefix length'];
  if (isMappedV4(prefix.address)) return ['must not have an IPv4-mapped IPv6 address'];
  return formatIp(maskedAddress(prefix)) === formatIp(prefix.address) ? [] : ['must not have bits set beyond the prefix length'];
}

/** A network in canonical form, for newer fields. */
export function isCidr(value: string): string[] {
  const reasons = isCidrForLegacyField(value);
  if (reasons.length > 0) return reasons;
  const prefix = parseCidr(value);
  return prefix === undefined ? [wrongCidr] : canonicalReasons(value, `${formatIp(prefix.address)}/${prefix.length}`);
}

const canonicalReasons = (value: string, canonical: string): string[] =>
  value === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
