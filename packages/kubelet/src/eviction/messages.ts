import { quantityFromValue, quantityValue } from '@orrery/apimachinery';
import { isPositive, podLimits } from '../pod/resources.ts';
import type { ContainerUsage, PodUsage } from './pod-usage.ts';
import { amountOf, type Observations, resourceOf, shownAmount, type Threshold } from './thresholds.ts';

const bytes = (amount: number): string => quantityFromValue(amount, 'BinarySI').text;

function containerUsed(resource: string, { memoryBytes, disk }: ContainerUsage): number | undefined {
  return resource === 'memory' ? memoryBytes : resource === 'ephemeral-storage' ? disk.bytes : undefined;
}

/** Why the pod goes, in upstream's words. Source: eviction.evictionMessage. */
export function evictionMessage(threshold: Threshold, observations: Observations, { pod, containers }: PodUsage): string {
  const { signal, value } = threshold;
  const resource = resourceOf(signal);
  const observed = observations[signal];
  let message = `The node was low on resource: ${resource}. `;
  if (observed !== undefined) {
    const quantity = shownAmount(signal, amountOf(value, observed.capacity));
    message += `Threshold quantity: ${quantity}, available: ${shownAmount(signal, observed.available)}. `;
  }
  for (const usage of containers) {
    const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === usage.name);
    const request = spec?.resources?.requests?.[resource] ?? '0';
    const used = containerUsed(resource, usage);
    if (used === undefined || used <= quantityValue(request)) continue;
    message += `Container ${usage.name} was using ${bytes(used)}, request is ${request}, has larger consumption of ${resource}. `;
  }
  return message;
}

/** Why the pod's files are too many for its own limits; `undefined` when they are not. Source: localStorageEviction. */
export function localStorageProblem({ pod, disk, containers, emptyDirs }: PodUsage): string | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    const used = emptyDirs.get(name)?.bytes;
    if (limit === undefined || used === undefined || !isPositive(limit) || used <= quantityValue(limit)) continue;
    return `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(limit)}. `;
  }
  const whole = podLimits(pod)['ephemeral-storage'];
  if (whole !== undefined && isPositive(whole) && disk.bytes > quantityValue(whole)) {
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${whole}. `;
  }
  for (const usage of containers) {
    const limit = pod.spec.containers.find(({ name }) => name === usage.name)?.resources?.limits?.['ephemeral-storage'];
    if (limit === undefined || !isPositive(limit) || usage.disk.bytes <= quantityValue(limit)) continue;
    return `Container ${usage.name} exceeded its local ephemeral storage limit ${JSON.stringify(limit)}. `;
  }
  return undefined;
}

/** Whether anything of the pod limits its files: only then are they counted while the disk has room. */
export function limitsLocalStorage({ pod }: Pick<PodUsage, 'pod'>): boolean {
  const sized = (pod.spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined && (emptyDir.medium ?? '') === '');
  return sized || pod.spec.containers.some(({ resources }) => resources?.limits?.['ephemeral-storage'] !== undefined);
}
