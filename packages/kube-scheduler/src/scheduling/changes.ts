import type { Node, Pod } from '@orrery/api/core/v1';
import { equalJson, type Json } from '@orrery/apimachinery';
import type { PodInfo } from '../cache/pod-info.ts';
import { action } from '../framework/cluster-event.ts';

const same = (a: unknown, b: unknown): boolean => a === b || equalJson((a ?? null) as Json, (b ?? null) as Json);

/** What changed about a node, as bits of `action`; 0: nothing that matters here, as with heartbeats. */
export function nodeChanges(old: Node, node: Node): number {
  let actions = 0;
  if (!same(old.status?.allocatable, node.status?.allocatable)) actions |= action.updateNodeAllocatable;
  if (!same(old.metadata.labels, node.metadata.labels)) actions |= action.updateNodeLabel;
  const isCordonSame = (old.spec?.unschedulable === true) === (node.spec?.unschedulable === true);
  if (!isCordonSame || !same(old.spec?.taints, node.spec?.taints)) actions |= action.updateNodeTaint;
  if (!same(old.status?.images, node.status?.images)) actions |= action.updateNodeOther;
  return actions;
}

/** What changed about a pod, as bits of `action`; 0: nothing that matters here, as with most of its status. */
export function podChanges(old: Pod, pod: Pod, infoOf: (pod: Pod) => PodInfo): number {
  let actions = 0;
  if (!same(old.metadata.labels, pod.metadata.labels)) actions |= action.updatePodLabel;
  if (old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp) actions |= action.updatePodOther;
  if (!same(allocated(old), allocated(pod)))
    actions |= isLess(infoOf(pod), infoOf(old)) ? action.updatePodScaleDown : action.updatePodOther;
  if (same(old.spec, pod.spec)) return actions;
  actions |= action.updatePodOther;
  if (isLess(infoOf(pod), infoOf(old))) actions |= action.updatePodScaleDown;
  if (!same(old.spec.tolerations, pod.spec.tolerations)) actions |= action.updatePodToleration;
  const hadGates = (old.spec.schedulingGates ?? []).length > 0;
  if (hadGates && (pod.spec.schedulingGates ?? []).length === 0) actions |= action.updatePodGatesEliminated;
  return actions;
}

const allocated = ({ status }: Pod): readonly unknown[] =>
  (status?.containerStatuses ?? [])
    .filter(({ allocatedResources }) => allocatedResources !== undefined)
    .map((each) => each.allocatedResources);

function isLess({ requests: now }: PodInfo, { requests: before }: PodInfo): boolean {
  if (now.milliCpu < before.milliCpu || now.memory < before.memory || now.ephemeralStorage < before.ephemeralStorage) return true;
  for (const [name, amount] of before.scalars ?? []) if ((now.scalars?.get(name) ?? 0) < amount) return true;
  return false;
}
