import type { NodeInfo } from '../../cache/node-info.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import { SCORE_MAX } from '../../framework/plugin.ts';

interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}

interface ShapePoint {
  /** Percent in use. */
  readonly utilization: number;
  /** 0 to 10. */
  readonly score: number;
}

/** `scoringStrategy` of NodeResourcesFitArgs. */
interface ScoringStrategy {
  readonly type?: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio';
  readonly resources?: readonly WeightedResource[];
  readonly requestedToCapacityRatio?: { readonly shape?: readonly ShapePoint[] };
}

const leastAllocated: Rule = (requested, capacity) =>
  requested > capacity ? 0 : Math.trunc(((capacity - requested) * SCORE_MAX) / capacity);

/** What the general way below computes for the default, without its detours: it runs for hundreds of nodes for each pod. */
function scoreByDefault({ nonZeroRequests }: PodInfo, { allocatable, nonZeroMilliCpu, nonZeroMemory }: NodeInfo): number {
  const { milliCpu, memory } = allocatable;
  const byCpu = milliCpu === 0 ? 0 : leastAllocated(nonZeroMilliCpu + nonZeroRequests.milliCpu, milliCpu);
  const byMemory = memory === 0 ? 0 : leastAllocated(nonZeroMemory + nonZeroRequests.memory, memory);
  return milliCpu === 0 || memory === 0 ? byCpu + byMemory : Math.trunc((byCpu + byMemory) / 2);
}

const cpuAndMemory: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

type Rule = (requested: number, capacity: number) => number;

/** @throws {TypeError} for an unknown strategy. */
export function resourceScorer(args: Readonly<Record<string, unknown>>): (pod: PodInfo, node: NodeInfo) => number {
  const {
    type = 'LeastAllocated',
    resources = cpuAndMemory,
    requestedToCapacityRatio,
  } = (args['scoringStrategy'] ?? {}) as ScoringStrategy;
  if (type === 'LeastAllocated' && resources === cpuAndMemory) return scoreByDefault;
  const rule = ruleOf(type, requestedToCapacityRatio?.shape ?? []);
  return (pod, node) => {
    let sum = 0;
    let weights = 0;
    for (const { name, weight } of resources) {
      const capacity = capacityOf(node, name);
      if (capacity === 0) continue;
      const wanted = wantedOf(pod, name);
      if (wanted === 0 && name !== 'cpu' && name !== 'memory') continue; // An extended resource that the pod does not use says nothing.
      sum += weight * rule(usedOf(node, name) + wanted, capacity);
      weights += weight;
    }
    return weights === 0 ? 0 : Math.trunc(sum / weights);
  };
}

function ruleOf(type: string, shape: readonly ShapePoint[]): Rule {
  if (type === 'LeastAllocated') return leastAllocated;
  if (type === 'MostAllocated') {
    return (requested, capacity) => Math.trunc((Math.min(requested, capacity) * SCORE_MAX) / capacity);
  }
  if (type !== 'RequestedToCapacityRatio') throw new TypeError(`unknown scoring strategy ${JSON.stringify(type)}`);
  return (requested, capacity) => along(shape, requested > capacity ? 100 : (requested * 100) / capacity);
}

/** Linear between the points, level outside; a point's score of 10 is 100 here. */
function along(shape: readonly ShapePoint[], utilization: number): number {
  let before: ShapePoint | undefined;
  for (const point of shape) {
    if (utilization <= point.utilization) {
      if (before === undefined) return point.score * 10;
      const share = (utilization - before.utilization) / (point.utilization - before.utilization);
      return Math.trunc((before.score + (point.score - before.score) * share) * 10);
    }
    before = point;
  }
  return (before?.score ?? 0) * 10;
}

export function capacityOf({ allocatable }: NodeInfo, name: string): number {
  if (name === 'cpu') return allocatable.milliCpu;
  if (name === 'memory') return allocatable.memory;
  return name === 'ephemeral-storage' ? allocatable.ephemeralStorage : (allocatable.scalars?.get(name) ?? 0);
}

function usedOf(node: NodeInfo, name: string): number {
  if (name === 'cpu') return node.nonZeroMilliCpu;
  if (name === 'memory') return node.nonZeroMemory;
  return name === 'ephemeral-storage' ? node.requested.ephemeralStorage : (node.requested.scalars?.get(name) ?? 0);
}

function wantedOf({ requests, nonZeroRequests }: PodInfo, name: string): number {
  if (name === 'cpu') return nonZeroRequests.milliCpu;
  if (name === 'memory') return nonZeroRequests.memory;
  return name === 'ephemeral-storage' ? requests.ephemeralStorage : (requests.scalars?.get(name) ?? 0);
}
