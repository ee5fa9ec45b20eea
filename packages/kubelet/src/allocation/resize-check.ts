import type { Node, Pod } from '@orrery/api/core/v1';
import { quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import { lacking } from '../pod/admission.ts';
import { podRequests } from '../pod/resources.ts';

/** Why a pod does not get what it now asks for. Source: KEP-1287. */
export interface ResizeRefusal {
  /** `Infeasible`: never on this node. `Deferred`: not now. */
  readonly reason: 'Infeasible' | 'Deferred';
  readonly message: string;
}

/**
 * Whether the node can give the pod what its spec asks for; `undefined` when it can.
 * @param others - The other active pods, with what they have been given.
 */
export function refuseResize(pod: Pod, node: Node, others: readonly Pod[]): ResizeRefusal | undefined {
  const allocatable = node.status?.allocatable ?? {};
  const requests = podRequests(pod);
  const amounts = [
    ['memory', quantityValue(requests['memory'] ?? '0'), quantityValue(allocatable['memory'] ?? '0')],
    ['cpu', quantityMilliValue(requests['cpu'] ?? '0'), quantityMilliValue(allocatable['cpu'] ?? '0')],
  ] as const;
  for (const [resource, requested, capacity] of amounts) {
    if (requested <= capacity) continue;
    const message = `Node didn't have enough capacity: ${resource}, requested: ${requested}, capacity: ${capacity}`;
    return { reason: 'Infeasible', message };
  }
  const short = lacking(pod, others, allocatable);
  return short === undefined ? undefined : { reason: 'Deferred', message: short.message };
}
