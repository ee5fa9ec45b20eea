import { collide } from '../../cache/host-ports.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import { action } from '../../framework/cluster-event.ts';
import type { Plugin } from '../../framework/plugin.ts';
import { skip, unschedulable } from '../../framework/status.ts';

export const NODE_PORTS_REASON = "node(s) didn't have free ports for the requested pod ports";
const rejected = unschedulable(NODE_PORTS_REASON);

const meet = (a: PodInfo, b: PodInfo): boolean => a.hostPorts.some((wanted) => b.hostPorts.some((taken) => collide(wanted, taken)));

/** Rejects nodes where another pod holds a host port that this one wants. */
export function newNodePorts(): Plugin {
  return {
    name: 'NodePorts',
    eventsToRegister: () => [
      { resource: 'AssignedPod', actions: action.delete, hint: (pod, old) => meet(pod, old as PodInfo) },
      { resource: 'Node', actions: action.add },
    ],
    preFilter: (_state, { hostPorts }) => (hostPorts.length === 0 ? skip : undefined),
    filter(_state, pod, node) {
      if (pod.hostPorts.length === 0 || node.withHostPorts === 0) return undefined;
      return node.pods.some((other) => meet(pod, other)) ? rejected : undefined;
    },
  };
}
