import type { Node } from '@orrery/api/core/v1';
import type { PodInfo } from '../../cache/pod-info.ts';
import { action } from '../../framework/cluster-event.ts';
import type { Plugin } from '../../framework/plugin.ts';
import { unresolvable } from '../../framework/status.ts';
import { isTolerated } from '../taint-toleration/tolerations.ts';

export const UNSCHEDULABLE_REASON = 'node(s) were unschedulable';
const rejected = unresolvable(UNSCHEDULABLE_REASON);
const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const isAllowed = ({ pod }: PodInfo, { spec }: Node): boolean => spec?.unschedulable !== true || isTolerated(taint, pod.spec.tolerations);

/** Rejects cordoned nodes, unless the pod tolerates the taint that says so. */
export function newNodeUnschedulable(): Plugin {
  return {
    name: 'NodeUnschedulable',
    eventsToRegister: () => [
      {
        resource: 'Node',
        actions: action.add | action.updateNodeTaint,
        hint: (pod, _old, node) => isAllowed(pod, node as Node),
      },
      { resource: 'TargetPod', actions: action.updatePodToleration },
    ],
    filter: (_state, pod, node) => (!node.isUnschedulable || isAllowed(pod, node.node) ? undefined : rejected),
  };
}
