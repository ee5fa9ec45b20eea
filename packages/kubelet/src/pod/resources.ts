import type { Pod, ResourceRequirements } from '@orrery/api/core/v1';
import { compareQuantity } from '@orrery/apimachinery';

export { addResources, podLimits, podRequests, type ResourceList } from '@orrery/api';

export const isPositive = (amount: string | undefined): boolean => amount !== undefined && compareQuantity(amount, '0') > 0;

/** Whether all that runs in the pod is limited in `resource`: only then is the pod as a whole. */
export function isLimited({ spec }: Pod, resource: string): boolean {
  const limited = (resources: ResourceRequirements | undefined): boolean => isPositive(resources?.limits?.[resource]);
  return limited(spec.resources) || [...(spec.initContainers ?? []), ...spec.containers].every((container) => limited(container.resources));
}
