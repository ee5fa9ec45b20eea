import { isDeepStrictEqual } from 'node:util';
import type { Container, Pod } from '@orrery/api/core/v1';
import { quantityValue } from '@orrery/apimachinery';
import type { Runtime } from '@orrery/cri';
import type { Allocations } from '../allocation/allocations.ts';
import { resizableContainers } from '../allocation/pod-allocation.ts';
import type { CgroupLimits } from '../cgroups/limits.ts';
import type { PodCgroups } from '../cgroups/pod-cgroups.ts';
import { linuxResources, type ResourceFacts } from './linux-resources.ts';
import { type ContainerInstance, findInstance, type PodState } from './pod-state.ts';

/** Changes what running containers may use (KEP-1287). */
export interface Resizer {
  /** Whether the running container is to be restarted to get what its pod was granted. */
  needsRestart(pod: Pod, container: Container): boolean;
  /**
   * Brings the pod's control group and its running containers to what was granted. The group grows before its containers and shrinks
   * after them, as the kernel wants it. Whether something was changed.
   * @throws {Error} when memory would be cut below what is used, or the runtime refuses.
   */
  apply(pod: Pod, state: PodState): Promise<boolean>;
}

interface Deps {
  readonly runtime: Runtime;
  readonly allocations: Allocations;
  readonly cgroups: PodCgroups | undefined;
  readonly facts: ResourceFacts;
}

interface Change {
  readonly container: Container;
  readonly instance: ContainerInstance;
}

type Scalar = 'cpuShares' | 'cpuQuotaUs' | 'memoryBytes';
const scalars: readonly Scalar[] = ['memoryBytes', 'cpuQuotaUs', 'cpuShares'];

/** No limit is the highest. */
const height = (value: number | undefined): number => (value === undefined || value < 0 ? Number.POSITIVE_INFINITY : value);

/** The part of `next` that is higher (or lower) than `now`. */
export function limitsThat(direction: 'grow' | 'shrink', now: CgroupLimits, next: CgroupLimits): CgroupLimits {
  const chosen = scalars.filter((key) => {
    if (next[key] === undefined || next[key] === now[key]) return false;
    return direction === 'grow' ? height(next[key]) > height(now[key]) : height(next[key]) < height(now[key]);
  });
  return Object.fromEntries(chosen.map((key) => [key, next[key]]));
}

const memoryLimit = (container: Container): number => quantityValue(container.resources?.limits?.['memory'] ?? '0');

export function newResizer({ runtime, allocations, cgroups, facts }: Deps): Resizer {
  const before = (pod: Pod, container: Container) => allocations.actuatedResources(pod.metadata.uid, container.name);

  function differs(pod: Pod, container: Container): boolean {
    const has = before(pod, container);
    return has !== undefined && !isDeepStrictEqual(has, container.resources ?? {});
  }

  function needsRestart(pod: Pod, container: Container): boolean {
    if (!differs(pod, container)) return false;
    const has = before(pod, container);
    const now = container.resources ?? {};
    return (container.resizePolicy ?? []).some(
      ({ resourceName, restartPolicy }) =>
        restartPolicy === 'RestartContainer' &&
        (has?.limits?.[resourceName] !== now.limits?.[resourceName] || has?.requests?.[resourceName] !== now.requests?.[resourceName]),
    );
  }

  async function containerUsage({ id }: ContainerInstance): Promise<number> {
    const { stats = [] } = await runtime.listContainerStats({ filter: { id } });
    const memory = stats.find(({ attributes }) => attributes?.id === id)?.memory;
    return memory?.usageBytes?.value ?? memory?.workingSetBytes?.value ?? 0;
  }

  /** @throws {Error} when a limit would fall below what is used: the kernel would kill, or refuse. */
  async function checkMemory(pod: Pod, changes: readonly Change[], shrink: CgroupLimits): Promise<void> {
    const problems: string[] = [];
    if (shrink.memoryBytes !== undefined) {
      const used = (await cgroups?.usage(pod))?.memoryBytes ?? 0;
      if (used >= shrink.memoryBytes) {
        problems.push(`attempting to set pod memory limit (${shrink.memoryBytes}) below current usage (${used})`);
      }
    }
    for (const { container, instance } of changes) {
      const limit = memoryLimit(container);
      const now = quantityValue(before(pod, container)?.limits?.['memory'] ?? '0');
      if (limit === 0 || (now !== 0 && limit >= now)) continue;
      const used = await containerUsage(instance);
      if (used < limit) continue;
      problems.push(`attempting to set container ${JSON.stringify(container.name)} memory limit (${limit}) below current usage (${used})`);
    }
    if (problems.length === 0) return;
    throw new Error(`cannot decrease memory limits: ${problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`}`);
  }

  async function limitPod(pod: Pod, limits: CgroupLimits): Promise<void> {
    if (cgroups !== undefined && Object.keys(limits).length > 0) await cgroups.limit(pod, limits);
  }

  return {
    needsRestart,
    async apply(pod, state) {
      const { uid } = pod.metadata;
      const changed = resizableContainers(pod).filter((container) => differs(pod, container));
      if (changed.length === 0) return false;
      const changes = changed.flatMap((container): Change[] => {
        const instance = findInstance(state, container.name);
        return instance?.phase === 'running' && !needsRestart(pod, container) ? [{ container, instance }] : [];
      });
      const now = cgroups?.limitsOf(allocations.actuated(pod)) ?? {};
      const next = cgroups?.limitsOf(pod) ?? {};
      const shrink = limitsThat('shrink', now, next);
      await checkMemory(pod, changes, shrink);
      await limitPod(pod, limitsThat('grow', now, next));
      for (const { container, instance } of changes) {
        const linux = linuxResources(pod, container, facts);
        await runtime.updateContainerResources({ containerId: instance.id, linux });
        allocations.setActuated(uid, container.name, container.resources);
      }
      await limitPod(pod, shrink);
      return changes.length > 0;
    },
  };
}
