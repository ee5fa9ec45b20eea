import { addQuantity, compareQuantity } from '@orrery/apimachinery';
import type { Container, Pod } from './generated/core/v1.ts';

/** Amounts by the name of what is counted: `cpu: 500m`. */
export type ResourceList = Readonly<Record<string, string>>;

export function addResources(left: ResourceList, right: ResourceList): ResourceList {
  const sum: Record<string, string> = { ...left };
  for (const [name, amount] of Object.entries(right)) sum[name] = sum[name] === undefined ? amount : addQuantity(sum[name], amount);
  return sum;
}

/** The larger amount of each name. */
export function maxResources(left: ResourceList, right: ResourceList): ResourceList {
  const max: Record<string, string> = { ...left };
  for (const [name, amount] of Object.entries(right)) {
    if (max[name] === undefined || compareQuantity(amount, max[name]) > 0) max[name] = amount;
  }
  return max;
}

/** The sum of what runs together, or the largest moment of initialization. Sidecars count with everything. Source: KEP-753. */
function whole({ spec }: Pod, of: (container: Container) => ResourceList): ResourceList {
  let sidecars: ResourceList = {};
  let peak: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    const own = of(container);
    if (container.restartPolicy === 'Always') {
      sidecars = addResources(sidecars, own);
      peak = maxResources(peak, sidecars);
    } else {
      peak = maxResources(peak, addResources(sidecars, own));
    }
  }
  const main = (spec.containers ?? []).map(of).reduce(addResources, sidecars);
  return maxResources(main, peak);
}

/**
 * What the pod asks of its node, with its overhead. Pod-level requests replace what the containers sum up to.
 * Source: component-helpers resource.PodRequests (KEP-753, KEP-2837).
 */
export function podRequests(pod: Pod): ResourceList {
  const { resources, overhead } = pod.spec;
  const total = { ...whole(pod, (container) => container.resources?.requests ?? {}), ...(resources?.requests ?? {}) };
  return overhead === undefined ? total : addResources(total, overhead);
}

/** What the pod's containers may use together; overhead comes on top of what is limited. Source: resource.PodLimits. */
export function podLimits(pod: Pod): ResourceList {
  const { resources, overhead = {} } = pod.spec;
  const total: ResourceList = { ...whole(pod, (container) => container.resources?.limits ?? {}), ...(resources?.limits ?? {}) };
  const limited = Object.entries(overhead).filter(([name]) => compareQuantity(total[name] ?? '0', '0') > 0);
  return addResources(total, Object.fromEntries(limited));
}
