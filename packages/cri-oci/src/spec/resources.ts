import type { LinuxContainerResources } from '@orrery/cri';
import type { OciResources } from './oci.ts';

/** What the machine's control groups can do. */
export interface CgroupAbilities {
  readonly version: 1 | 2;
  /** Whether swap is accounted for, so that it can be limited. */
  readonly swap: boolean;
  readonly hugetlb: boolean;
}

/**
 * Limits of a container in the runtime's words; the runtime itself turns cgroup v1 numbers into v2's. CRI writes 0 for "not said".
 * Swap is limited to the memory limit, that is to none, unless the pod's own says otherwise.
 */
export function containerResources(linux: LinuxContainerResources, abilities: CgroupAbilities): OciResources {
  const { memoryLimitInBytes = 0, memorySwapLimitInBytes = 0 } = linux;
  const cpu = {
    ...(given(linux.cpuShares) ? { shares: linux.cpuShares } : {}),
    ...(given(linux.cpuQuota) ? { quota: linux.cpuQuota } : {}),
    ...(given(linux.cpuPeriod) ? { period: linux.cpuPeriod } : {}),
    ...(linux.cpusetCpus ? { cpus: linux.cpusetCpus } : {}),
    ...(linux.cpusetMems ? { mems: linux.cpusetMems } : {}),
  };
  const swap = memorySwapLimitInBytes !== 0 ? memorySwapLimitInBytes : memoryLimitInBytes;
  const memory = {
    ...(memoryLimitInBytes === 0 ? {} : { limit: memoryLimitInBytes }),
    ...(abilities.swap && swap !== 0 ? { swap } : {}),
  };
  const hugepages = (linux.hugepageLimits ?? []).map(({ pageSize = '', limit = 0 }) => ({ pageSize, limit }));
  return {
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(Object.keys(memory).length > 0 ? { memory } : {}),
    ...(abilities.hugetlb && hugepages.length > 0 ? { hugepageLimits: hugepages } : {}),
    ...(abilities.version === 2 && linux.unified !== undefined && Object.keys(linux.unified).length > 0 ? { unified: linux.unified } : {}),
  };
}

const given = (value: number | undefined): value is number => value !== undefined && value !== 0;

/** What stands after an update: what the update does not say stays. */
export function mergedResources(before: LinuxContainerResources, update: LinuxContainerResources): LinuxContainerResources {
  const said = Object.entries(update).filter(([, value]) => value !== undefined && value !== 0 && value !== '');
  return { ...before, ...(Object.fromEntries(said) as LinuxContainerResources) };
}

/** Root without CAP_SYS_RESOURCE may not make a process safer from the out-of-memory killer than it is itself. */
export function clampedOomScore(wanted: number, own: number, maySetAny: boolean): number {
  return maySetAny ? wanted : Math.max(wanted, own);
}
