import type { Container, Pod } from '@orrery/api/core/v1';
import { addQuantity, compareQuantity } from '@orrery/apimachinery';
import { isSidecar } from './container-spec.ts';

export type ResourceList = Readonly<Record<string, string>>;

export function addResources(left: ResourceList, right: ResourceList): ResourceList {
  const sum: Record<string, string> = { ...left };
  for (const [name, amount] of Object.entries(right)) sum[name] = sum[name] === undefined ? amount : addQuantity(sum[name], amount);
  return sum;
}

function maxResources(left: ResourceList, right: ResourceList): ResourceList {
  const max: Record<string, string> = { ...left };
  for (const [name, amount] of Object.entries(right)) {
    if (max[name] === undefined || compareQuantity(amount, max[name]) > 0) max[name] = amount;
  }
  return max;
}

const requestsOf = (container: Container): ResourceList => container.resources?.requests ?? {};

/**
 * What the pod asks of its node: the sum of what runs together, or the largest moment of its initialization, plus overhead. Pod-level
 * requests replace what the containers sum up to. Source: component-helpers resource.PodRequests (KEP-753, KEP-2837).
 */
export function podRequests({ spec }: Pod): ResourceList {
  let sidecars: ResourceList = {};
  let peak: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    const own = requestsOf(container);
    if (isSidecar(container)) {
      sidecars = addResources(sidecars, own);
      peak = maxResources(peak, sidecars);
    } else {
      peak = maxResources(peak, addResources(sidecars, own));
    }
  }
  const main = spec.containers.map(requestsOf).reduce(addResources, sidecars);
  const total = { ...maxResources(main, peak), ...(spec.resources?.requests ?? {}) };
  return spec.overhead === undefined ? total : addResources(total, spec.overhead);
}
