import type { Node } from '@orrery/api/core/v1';
import { type NodeInfo, newNodeInfo } from '../../cache/node-info.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import { action } from '../../framework/cluster-event.ts';
import type { PluginFactory } from '../../framework/plugin.ts';
import { type Status, unresolvable, unschedulable } from '../../framework/status.ts';
import { resourceScorer } from './strategies.ts';

export const TOO_MANY_PODS = 'Too many pods';

/** What the pod wants and the node has not left, or not at all. */
interface Shortage {
  readonly reasons: readonly string[];
  /** More than the whole node: no preemption helps. */
  readonly isFinal: boolean;
}

/** Rejects nodes without room for the pod's requests; prefers those with most room left, or as `scoringStrategy` says. */
export const newFit: PluginFactory = (_handle, args) => {
  const score = resourceScorer(args);
  return {
    name: 'NodeResourcesFit',
    eventsToRegister: () => [
      // The end of any pod frees a place at least.
      { resource: 'AssignedPod', actions: action.delete | action.updatePodScaleDown },
      {
        resource: 'Node',
        actions: action.add | action.updateNodeAllocatable,
        hint: (pod, _old, node) => shortage(pod, newNodeInfo(node as Node)) === undefined,
      },
      { resource: 'TargetPod', actions: action.updatePodScaleDown },
    ],
    filter(_state, pod, node) {
      if (hasRoom(pod, node)) return undefined;
      const found = shortage(pod, node);
      return found === undefined ? undefined : statusOf(found);
    },
    score: (_state, pod, node) => score(pod, node),
  };
};

/** The frequent case, without making anything. */
function hasRoom({ requests }: PodInfo, node: NodeInfo): boolean {
  return (
    node.freePods > 0 &&
    requests.scalars === undefined &&
    requests.ephemeralStorage === 0 &&
    (requests.milliCpu === 0 || requests.milliCpu <= node.freeMilliCpu) &&
    (requests.memory === 0 || requests.memory <= node.freeMemory)
  );
}

function shortage({ requests }: PodInfo, { pods, allowedPods, allocatable, requested }: NodeInfo): Shortage | undefined {
  const reasons: string[] = [];
  let isFinal = false;
  const check = (name: string, wanted: number, has: number, used: number): void => {
    if (wanted <= 0 || wanted <= has - used) return;
    reasons.push(`Insufficient ${name}`);
    isFinal ||= wanted > has;
  };
  if (pods.length + 1 > allowedPods) reasons.push(TOO_MANY_PODS);
  check('cpu', requests.milliCpu, allocatable.milliCpu, requested.milliCpu);
  check('memory', requests.memory, allocatable.memory, requested.memory);
  check('ephemeral-storage', requests.ephemeralStorage, allocatable.ephemeralStorage, requested.ephemeralStorage);
  for (const [name, wanted] of requests.scalars ?? []) {
    check(name, wanted, allocatable.scalars?.get(name) ?? 0, requested.scalars?.get(name) ?? 0);
  }
  return reasons.length === 0 ? undefined : { reasons, isFinal };
}

const statusOf = ({ reasons, isFinal }: Shortage): Status => (isFinal ? unresolvable(...reasons) : unschedulable(...reasons));
