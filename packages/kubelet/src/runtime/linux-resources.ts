import type { Container, Pod, ResourceRequirements } from '@orrery/api/core/v1';
import { quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import type { LinuxContainerResources } from '@orrery/cri';
import { isSidecar } from '../pod/container-spec.ts';
import { hugepagesOf } from '../pod/hugepages.ts';
import type { ResourceList } from '../pod/resources.ts';

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

function ownOomScore(container: Container, capacityBytes: number): number {
  const request = quantityValue(container.resources?.requests?.['memory'] ?? '0');
  const score = 1000 - Math.floor((1000 * request) / capacityBytes);
  return Math.min(Math.max(score, 1000 + GUARANTEED), BEST_EFFORT - 1);
}

/** Who is killed first when the node has no memory left: -997 last, 1000 first. Source: qos.GetContainerOOMScoreAdjust. */
export function oomScore(pod: Pod, container: Container, capacityBytes: number): number {
  if ((pod.spec.priority ?? 0) >= 2_000_000_000) return GUARANTEED; // Node-critical.
  if (pod.status?.qosClass === 'Guaranteed') return GUARANTEED;
  if (pod.status?.qosClass === 'BestEffort') return BEST_EFFORT;
  const own = ownOomScore(container, capacityBytes);
  const sidecar = isSidecar(container) && (pod.spec.initContainers ?? []).some(({ name }) => name === container.name);
  // A sidecar must not be killed before what it serves.
  return sidecar ? Math.min(own, ...pod.spec.containers.map((main) => ownOomScore(main, capacityBytes))) : own;
}

/** What the limits of containers depend on, beside the pod. */
export interface ResourceFacts {
  /** The node's memory, in bytes. */
  readonly memoryBytes: number;
  /** Of the node's control groups; undefined where there are none. */
  readonly cgroupVersion: 1 | 2 | undefined;
}

const shares = ({ requests = {}, limits = {} }: ResourceRequirements): number =>
  cpuShares(quantityMilliValue(requests['cpu'] ?? limits['cpu'] ?? '0'));

/** Huge pages of every size that the pod does not ask for are refused to it. Source: GetHugepageLimitsFromResources. */
function hugepages(limits: ResourceList): Pick<LinuxContainerResources, 'hugepageLimits'> {
  const found = Object.entries(hugepagesOf(limits)).map(([pageSize, limit]) => ({ pageSize, limit }));
  return found.length === 0 ? {} : { hugepageLimits: found };
}

/** Version 2 knows swap apart from memory, and ends all of a container that runs out of memory, not one process of it. */
function memoryLimits(bytes: number, cgroupVersion: 1 | 2 | undefined): LinuxContainerResources {
  const limit = bytes === 0 ? {} : { memoryLimitInBytes: bytes };
  if (cgroupVersion !== 2) return limit;
  return { ...limit, ...(bytes === 0 ? {} : { memorySwapLimitInBytes: bytes }), unified: { 'memory.oom.group': '1' } };
}

/** Source: kuberuntime generateLinuxContainerResources. */
export function linuxResources(pod: Pod, container: Container, { memoryBytes, cgroupVersion }: ResourceFacts): LinuxContainerResources {
  const { limits = {} } = container.resources ?? {};
  return {
    cpuShares: shares(container.resources ?? {}),
    cpuPeriod: QUOTA_PERIOD_US,
    cpuQuota: cpuQuotaUs(quantityMilliValue(limits['cpu'] ?? '0')),
    oomScoreAdj: oomScore(pod, container, memoryBytes),
    ...memoryLimits(quantityValue(limits['memory'] ?? '0'), cgroupVersion),
    ...hugepages(limits),
  };
}

/** Amounts as the runtime takes them, for what a sandbox is told of its pod. */
export function plainResources(requests: ResourceList, limits: ResourceList): LinuxContainerResources {
  const memory = quantityValue(limits['memory'] ?? '0');
  return {
    cpuShares: cpuShares(quantityMilliValue(requests['cpu'] ?? '0')),
    cpuPeriod: QUOTA_PERIOD_US,
    cpuQuota: cpuQuotaUs(quantityMilliValue(limits['cpu'] ?? '0')),
    ...(memory === 0 ? {} : { memoryLimitInBytes: memory }),
  };
}
