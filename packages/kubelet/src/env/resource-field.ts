import type { Container, Pod, ResourceFieldSelector } from '@orrery/api/core/v1';
import { quantityMilliValue, quantityValue } from '@orrery/apimachinery';

type Amounts = Readonly<Record<string, string>>;

/** Limits that a container lacks are the node's allocatable: it can use no more. */
const limitOf = (container: Container, resource: string, allocatable: Amounts): string | undefined =>
  container.resources?.limits?.[resource] ?? allocatable[resource];

function amount(container: Container, selector: string, allocatable: Amounts): readonly [string, string] {
  const dot = selector.indexOf('.');
  const [kind, resource] = [selector.slice(0, dot), selector.slice(dot + 1)];
  const known = resource === 'cpu' || resource === 'memory' || resource === 'ephemeral-storage' || resource.startsWith('hugepages-');
  if (!known || (kind !== 'limits' && kind !== 'requests')) throw new Error(`unsupported container resource : ${selector}`);
  const value = kind === 'limits' ? limitOf(container, resource, allocatable) : container.resources?.requests?.[resource];
  return [resource, value ?? '0'];
}

/**
 * A container's resource in units of the divisor, rounded up.
 * @throws {Error} when the selector names no resource or no container of the pod.
 * Source: api/v1/resource ExtractContainerResourceValue.
 */
export function resourceField(ref: ResourceFieldSelector, pod: Pod, self: Container | undefined, allocatable: Amounts): string {
  const { containerName } = ref;
  const container =
    containerName === undefined || containerName === ''
      ? self
      : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === containerName);
  if (container === undefined) throw new Error(`container ${containerName ?? ''} not found`);
  const [resource, value] = amount(container, ref.resource, allocatable);
  const divisor = ref.divisor === undefined || ref.divisor === '0' ? '1' : ref.divisor;
  if (resource === 'cpu') return String(Math.ceil(quantityMilliValue(value) / quantityMilliValue(divisor)));
  return String(Math.ceil(quantityValue(value) / quantityValue(divisor)));
}
