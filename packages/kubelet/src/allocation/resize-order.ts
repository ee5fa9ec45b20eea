import type { Pod } from '@orrery/api/core/v1';
import { compareQuantity } from '@orrery/apimachinery';
import { podRequests } from '../pod/resources.ts';
import type { Allocations } from './allocations.ts';

function grows(allocations: Allocations, pod: Pod): boolean {
  const [before, wanted] = [podRequests(allocations.allocated(pod)), podRequests(pod)];
  return ['cpu', 'memory'].some((resource) => compareQuantity(wanted[resource] ?? '0', before[resource] ?? '0') > 0);
}

/**
 * Who gets room first, for sorting: who asks for no more than before, then the higher priority, then guaranteed pods, then who has
 * waited longer. Source: allocation sortPendingResizes.
 */
export function resizeOrder(allocations: Allocations, a: Pod, b: Pod): number {
  const waits = (pod: Pod): string => pod.status?.conditions?.find(({ type }) => type === 'PodResizePending')?.lastTransitionTime ?? '9999';
  const guaranteed = (pod: Pod): number => (pod.status?.qosClass === 'Guaranteed' ? 0 : 1);
  return (
    Number(grows(allocations, a)) - Number(grows(allocations, b)) ||
    (b.spec.priority ?? 0) - (a.spec.priority ?? 0) ||
    guaranteed(a) - guaranteed(b) ||
    (waits(a) < waits(b) ? -1 : waits(a) > waits(b) ? 1 : 0)
  );
}
