import type { Pod } from '@orrery/api/core/v1';
import { quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import { hugepagesOf } from '../pod/hugepages.ts';
import { isLimited, podLimits, podRequests, type ResourceList } from '../pod/resources.ts';
import { cpuQuotaUs, cpuShares } from '../runtime/linux-resources.ts';
import type { CgroupLimits } from './limits.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** As the API server computed it. */
export function qosOf({ status }: Pod): QosClass {
  const known = status?.qosClass;
  return known === 'Guaranteed' || known === 'BestEffort' ? known : 'Burstable';
}

/** What the pod as a whole may use. @param pidsMax - Processes of one pod; -1: no limit. Source: cm.ResourceConfigForPod. */
export function podCgroupLimits(pod: Pod, pidsMax: number): CgroupLimits {
  const pids = pidsMax < 0 ? {} : { pidsMax };
  if (qosOf(pod) === 'BestEffort') return { cpuShares: cpuShares(0), ...pids };
  const limits = podLimits(pod);
  const quota = isLimited(pod, 'cpu') ? cpuQuotaUs(quantityMilliValue(limits['cpu'] ?? '0')) : 0;
  return {
    cpuShares: cpuShares(quantityMilliValue(podRequests(pod)['cpu'] ?? '0')),
    cpuQuotaUs: quota === 0 ? -1 : quota,
    memoryBytes: isLimited(pod, 'memory') ? quantityValue(limits['memory'] ?? '0') : -1,
    hugepageBytes: hugepagesOf(limits),
    ...pids,
  };
}

/** What all burstable pods together weigh. */
export function burstableShares(pods: Iterable<Pod>): number {
  let milli = 0;
  for (const pod of pods) if (qosOf(pod) === 'Burstable') milli += quantityMilliValue(podRequests(pod)['cpu'] ?? '0');
  return cpuShares(milli);
}

/** What is left for pods of the machine, without what is only an eviction's threshold: it is no wall. */
export function nodeCgroupLimits(allocatable: ResourceList): CgroupLimits {
  const pids = allocatable['pid'];
  return {
    cpuShares: cpuShares(quantityMilliValue(allocatable['cpu'] ?? '0')),
    ...(allocatable['memory'] === undefined ? {} : { memoryBytes: quantityValue(allocatable['memory']) }),
    ...(pids === undefined ? {} : { pidsMax: quantityValue(pids) }),
  };
}
