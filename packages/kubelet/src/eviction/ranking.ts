import { quantityValue } from '@orrery/apimachinery';
import { podRequests } from '../pod/resources.ts';
import type { PodUsage } from './pod-usage.ts';
import { resourceOf, type Signal } from './thresholds.ts';

/** What the pod takes of what `signal` counts. */
export function usedOf(signal: Signal, { memoryBytes, disk, pids }: PodUsage): number {
  const resource = resourceOf(signal);
  return resource === 'memory' ? memoryBytes : resource === 'pids' ? pids : resource === 'inodes' ? disk.inodes : disk.bytes;
}

function requested(signal: Signal, { pod }: PodUsage): number {
  const resource = resourceOf(signal);
  return resource === 'memory' || resource === 'ephemeral-storage' ? quantityValue(podRequests(pod)[resource] ?? '0') : 0;
}

/**
 * Who goes first: pods that take more than they asked for, then the lower priority, then who takes the most above what was asked.
 * For process ids only priority and number count. Source: eviction rankMemoryPressure, rankDiskPressureFunc, rankPIDPressure.
 */
export function rank(signal: Signal, usages: readonly PodUsage[]): readonly PodUsage[] {
  const above = (usage: PodUsage): number => usedOf(signal, usage) - requested(signal, usage);
  const exceeds = (usage: PodUsage): number => (signal === 'pid.available' || above(usage) <= 0 ? 0 : 1);
  const priority = ({ pod }: PodUsage): number => pod.spec.priority ?? 0;
  return [...usages].sort((a, b) => exceeds(b) - exceeds(a) || priority(a) - priority(b) || above(b) - above(a));
}
