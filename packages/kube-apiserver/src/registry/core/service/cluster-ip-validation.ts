import type { ServiceSpec } from '@orrery/api/core/v1';
import { type FieldError, forbidden, invalid, isIpForLegacyField, notSupported, required } from '@orrery/apimachinery';
import { familyOf } from '../../addresses.ts';
import { check, each } from '../../validate.ts';
import { isHeadless, needsClusterIp } from './families.ts';

const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const families = ['IPv4', 'IPv6'];
const ADDRESSES_MAX = 2;

/** Source: ValidateServiceClusterIPsRelatedFields. */
export function validateClusterIps(spec: ServiceSpec): FieldError[] {
  if (!needsClusterIp(spec)) return forbidFamilies(spec);
  const ips = spec.clusterIPs ?? [];
  return [...validateFamilies(spec), ...validateSingular(spec, ips), ...validateList(spec, ips)];
}

function forbidFamilies(spec: ServiceSpec): FieldError[] {
  const reason = 'may not be set for ExternalName services';
  return [
    ...((spec.ipFamilies ?? []).length > 0 ? [forbidden('spec.ipFamilies', reason)] : []),
    ...(spec.ipFamilyPolicy === undefined ? [] : [forbidden('spec.ipFamilyPolicy', reason)]),
  ];
}

function validateFamilies({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  errors.push(
    ...each('spec.ipFamilies', ipFamilies, (family, path) => {
      if (!families.includes(family)) return [notSupported(path, family, families)];
      if (seen.has(family))
        return [{ reason: 'FieldValueDuplicate' as const, field: path, message: `Duplicate value: ${JSON.stringify(family)}` }];
      seen.add(family);
      return [];
    }),
  );
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy))
    errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, policies));
  return errors;
}

function validateSingular({ clusterIP = '' }: ServiceSpec, ips: readonly string[]): FieldError[] {
  if (clusterIP !== '' && ips.length === 0) return [required('spec.clusterIPs')];
  if (ips.length > 0 && clusterIP !== ips[0]) {
    return clusterIP === ''
      ? [invalid('spec.clusterIPs', ips, 'must be empty when `clusterIP` is not specified')]
      : [invalid('spec.clusterIPs', ips, 'first value must match `clusterIP`')];
  }
  return [];
}

function validateList(spec: ServiceSpec, ips: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (isHeadless(spec)) {
    return ips.length > 1 ? [invalid('spec.clusterIPs', ips, "'None' must be the first and only value")] : errors;
  }
  errors.push(
    ...each('spec.clusterIPs', ips, (ip, path) =>
      ip === 'None' ? [invalid(path, ip, "must be empty, 'None', or a valid IP")] : check(path, ip, isIpForLegacyField),
    ),
  );
  if (ips.length > ADDRESSES_MAX) errors.push(invalid('spec.clusterIPs', ips, 'may only hold up to 2 values'));
  if (errors.length > 0) return errors;
  if (ips.length === ADDRESSES_MAX && familyOf(ips[0] ?? '') === familyOf(ips[1] ?? '')) {
    errors.push(invalid('spec.clusterIPs', ips, 'may specify no more than one IP for each IP family'));
  }
  return [
    ...errors,
    ...each('spec.clusterIPs', ips, (ip, path, index) => {
      const wanted = spec.ipFamilies?.[index];
      return wanted === undefined || familyOf(ip) === wanted
        ? []
        : [invalid(path, ip, `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``)];
    }),
  ];
}

/** An allocated address stays, but a second one may come and go. Source: ValidateServiceUpdate. */
export function validateClusterIpUpdate(next: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (!needsClusterIp(next) || !needsClusterIp(old)) return [];
  const errors: FieldError[] = [];
  const before = old.clusterIPs ?? [];
  const after = next.clusterIPs ?? [];
  if (before[0] !== undefined && before[0] !== '' && after[0] !== before[0]) {
    const changed = after.length === 0 ? '' : (after[0] ?? '');
    errors.push(
      invalid(
        'spec.clusterIPs[0]',
        after.length === 0 ? undefined : changed,
        after.length === 0 ? 'primary clusterIP can not be unset' : 'may not change once set',
      ),
    );
  }
  if (before[1] !== undefined && after[1] !== undefined && before[1] !== after[1]) {
    errors.push(invalid('spec.clusterIPs[1]', after[1], 'may not change once set'));
  }
  if (old.ipFamilies?.[0] !== undefined && next.ipFamilies?.[0] !== undefined && old.ipFamilies[0] !== next.ipFamilies[0]) {
    errors.push(invalid('spec.ipFamilies[0]', next.ipFamilies[0], 'primary ipFamily may not be changed'));
  }
  return errors;
}
