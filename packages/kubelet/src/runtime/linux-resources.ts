import type { Container, Pod } from '@orrery/api/core/v1';
import { quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import type { LinuxContainerResources } from '@orrery/cri';

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const SHARES_PER_CPU = 1024;
const QUOTA_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1000;

/** Source: cm.MilliCPUToShares. */
export function cpuShares(milli: number): number {
  if (milli === 0) return MIN_SHARES;
  return Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milli * SHARES_PER_CPU) / 1000)));
}

/** Source: cm.MilliCPUToQuota. 0 is no limit. */
export const cpuQuotaUs = (milli: number): number =>
  milli === 0 ? 0 : Math.max(MIN_QUOTA_US, Math.floor((milli * QUOTA_PERIOD_US) / 1000));

const GUARANTEED = -997;
const BEST_EFFORT = 1000;

/** Who is killed first when the node has no memory left: -997 last, 1000 first. Source: qos.GetContainerOOMScoreAdjust. */
export function oomScore(pod: Pod, container: Container, capacityBytes: number): number {
  if ((pod.spec.priority ?? 0) >= 2_000_000_000) return GUARANTEED; // Node-critical.
  if (pod.status?.qosClass === 'Guaranteed') return GUARANTEED;
  if (pod.status?.qosClass === 'BestEffort') return BEST_EFFORT;
  const request = quantityValue(container.resources?.requests?.['memory'] ?? '0');
  const score = 1000 - Math.floor((1000 * request) / capacityBytes);
  return Math.min(Math.max(score, 1000 + GUARANTEED), BEST_EFFORT - 1);
}

export function linuxResources(pod: Pod, container: Container, capacityBytes: number): LinuxContainerResources {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const limit = quantityMilliValue(limits['cpu'] ?? '0');
  const request = requests['cpu'] === undefined ? limit : quantityMilliValue(requests['cpu']);
  const memory = quantityValue(limits['memory'] ?? '0');
  return {
    cpuShares: cpuShares(request),
    cpuPeriod: QUOTA_PERIOD_US,
    cpuQuota: cpuQuotaUs(limit),
    oomScoreAdj: oomScore(pod, container, capacityBytes),
    ...(memory === 0 ? {} : { memoryLimitInBytes: memory }),
  };
}
