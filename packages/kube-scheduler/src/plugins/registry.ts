import type { PluginFactory } from '../framework/plugin.ts';
import { newDefaultBinder } from './default-binder/default-binder.ts';
import { newDefaultPreemption } from './default-preemption/default-preemption.ts';
import { newImageLocality } from './image-locality/image-locality.ts';
import { newInterPodAffinity } from './inter-pod-affinity/inter-pod-affinity.ts';
import { newNodeAffinity } from './node-affinity/node-affinity.ts';
import { newNodeName } from './node-name/node-name.ts';
import { newNodePorts } from './node-ports/node-ports.ts';
import { newBalancedAllocation } from './node-resources/balanced-allocation.ts';
import { newFit } from './node-resources/fit.ts';
import { newNodeUnschedulable } from './node-unschedulable/node-unschedulable.ts';
import { newPodTopologySpread } from './pod-topology-spread/pod-topology-spread.ts';
import { newPrioritySort } from './priority-sort/priority-sort.ts';
import { newSchedulingGates } from './scheduling-gates/scheduling-gates.ts';
import { newTaintToleration } from './taint-toleration/taint-toleration.ts';
import { newVolumeBinding } from './volume-binding/volume-binding.ts';
import { newVolumeRestrictions } from './volume-restrictions/volume-restrictions.ts';

export interface RegisteredPlugin {
  readonly name: string;
  readonly factory: PluginFactory;
  /** Of its scores in the default profile. @default 1 */
  readonly weight?: number;
}

/** Every built-in plugin, in the order in which they run: the one line a new one adds. Order and weights as upstream's default profile. */
export const plugins: readonly RegisteredPlugin[] = [
  { name: 'SchedulingGates', factory: newSchedulingGates },
  { name: 'PrioritySort', factory: newPrioritySort },
  { name: 'NodeUnschedulable', factory: newNodeUnschedulable },
  { name: 'NodeName', factory: newNodeName },
  { name: 'TaintToleration', factory: newTaintToleration, weight: 3 },
  { name: 'NodeAffinity', factory: newNodeAffinity, weight: 2 },
  { name: 'NodePorts', factory: newNodePorts },
  { name: 'NodeResourcesFit', factory: newFit },
  { name: 'VolumeRestrictions', factory: newVolumeRestrictions },
  { name: 'VolumeBinding', factory: newVolumeBinding },
  { name: 'PodTopologySpread', factory: newPodTopologySpread, weight: 2 },
  { name: 'InterPodAffinity', factory: newInterPodAffinity, weight: 2 },
  { name: 'DefaultPreemption', factory: newDefaultPreemption },
  { name: 'NodeResourcesBalancedAllocation', factory: newBalancedAllocation },
  { name: 'ImageLocality', factory: newImageLocality },
  { name: 'DefaultBinder', factory: newDefaultBinder },
];
