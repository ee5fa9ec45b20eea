import type { Service } from '@orrery/api/core/v1';
import { isHeadless } from './families.ts';

/** Source: service.GetWarningsForService. */
export function serviceWarnings({ spec, metadata }: Service): string[] {
  const warnings: string[] = [];
  if (metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined) {
    warnings.push(
      'metadata.annotations[service.kubernetes.io/topology-aware-hints]: deprecated, please use `service.kubernetes.io/topology-mode`',
    );
  }
  if (spec.type === 'ExternalName') return warnings;
  if (isHeadless(spec)) {
    if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services');
    if ((spec.externalIPs ?? []).length > 0) warnings.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  return warnings;
}
