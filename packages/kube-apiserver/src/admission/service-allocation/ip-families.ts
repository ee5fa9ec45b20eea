import type { ServiceSpec } from '@orrery/api/core/v1';
import { type Draft, type FieldError, invalid } from '@orrery/apimachinery';
import type { IpFamily } from '../../registry/addresses.ts';
import { familyOf } from '../../registry/addresses.ts';
import { isHeadless } from '../../registry/core/service/families.ts';

const other = (family: string): IpFamily => (family === 'IPv4' ? 'IPv6' : 'IPv4');

/**
 * Fills in `ipFamilyPolicy` and `ipFamilies` by what the Service asks for and the cluster has. Source: initIPFamilyFields.
 * @param configured - The cluster's families, the default first.
 */
export function fillFamilies(spec: Draft<ServiceSpec>, configured: readonly IpFamily[]): FieldError[] {
  const primary = configured[0] ?? 'IPv4';
  const free = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0; // Its endpoints come from elsewhere, and may be anything.
  const fromIps = (spec.clusterIPs ?? []).map(familyOf).filter((family) => family !== undefined);
  const families: string[] = spec.ipFamilies === undefined || spec.ipFamilies.length === 0 ? fromIps : [...spec.ipFamilies];
  const policy = spec.ipFamilyPolicy ?? (free ? 'RequireDualStack' : 'SingleStack');
  const errors = validate(spec, families, policy, configured, free);
  if (errors.length > 0) return errors;
  if (families.length === 0) families.push(primary);
  const both = free ? policy !== 'SingleStack' : policy !== 'SingleStack' && configured.length > 1;
  if (both && families.length === 1) families.push(other(families[0] ?? primary));
  spec.ipFamilyPolicy = policy;
  spec.ipFamilies = families;
  return [];
}

function validate(
  spec: Draft<ServiceSpec>,
  families: readonly string[],
  policy: string,
  configured: readonly IpFamily[],
  free: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (policy === 'SingleStack' && families.length > 1) {
    const reason = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";
    errors.push(invalid('spec.ipFamilyPolicy', policy, reason));
  }
  if (free) return errors;
  if (policy === 'RequireDualStack' && configured.length < 2) {
    errors.push(invalid('spec.ipFamilyPolicy', policy, 'this cluster is not configured for dual-stack services'));
  }
  const named = spec.ipFamilies ?? [];
  for (const [index, family] of named.entries()) {
    if (!configured.some((candidate) => candidate === family)) {
      errors.push(invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'));
    }
  }
  return errors;
}
