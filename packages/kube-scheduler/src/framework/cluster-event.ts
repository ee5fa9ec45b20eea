import type { PodInfo } from '../cache/pod-info.ts';

/** What changed. `AssignedPod` is a pod on a node, `TargetPod` the waiting pod itself. */
export type EventResource =
  | 'AssignedPod'
  | 'TargetPod'
  | 'Node'
  | 'Namespace'
  | 'Service'
  | 'PersistentVolumeClaim'
  | 'PersistentVolume'
  | 'StorageClass'
  | 'Wildcard';

/** Bits: one event may be several things. */
export const action = {
  add: 1,
  delete: 2,
  updateNodeAllocatable: 4,
  updateNodeLabel: 8,
  updateNodeTaint: 16,
  updateNodeOther: 32,
  updatePodLabel: 64,
  /** Requests went down, or a pod with requests ended. */
  updatePodScaleDown: 128,
  updatePodToleration: 256,
  updatePodGatesEliminated: 512,
  updatePodOther: 1024,
  update: 4 | 8 | 16 | 32 | 64 | 128 | 256 | 512 | 1024,
  all: 2047,
} as const;

export interface ClusterEvent {
  readonly resource: EventResource;
  /** A union of bits of {@link action}. */
  readonly actions: number;
}

export const isMatch = (registered: ClusterEvent, event: ClusterEvent): boolean =>
  event.resource === 'Wildcard' ||
  registered.resource === 'Wildcard' ||
  (registered.resource === event.resource && (registered.actions & event.actions) !== 0);

/**
 * Whether an event may help a pod that this plugin turned away. A wrong `false` leaves the pod waiting for the periodic flush; a wrong
 * `true` costs one attempt.
 * @param old - Absent when something was added.
 * @param object - Absent when something was deleted. Pods on nodes come as `PodInfo`, everything else as the API object.
 */
export type QueueingHint = (pod: PodInfo, old: object | undefined, object: object | undefined) => boolean;

export interface ClusterEventWithHint extends ClusterEvent {
  /** @default always true */
  readonly hint?: QueueingHint;
}
