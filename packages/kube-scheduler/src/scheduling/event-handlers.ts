import type { Namespace, Node, Pod } from '@orrery/api/core/v1';
import { equalJson, type KubeObject } from '@orrery/apimachinery';
import { type Handler, isPodTerminal } from '@orrery/client';
import type { SchedulerCache } from '../cache/cache.ts';
import { podInfoOf } from '../cache/pod-info.ts';
import { action } from '../framework/cluster-event.ts';
import type { Nominator } from '../framework/nominator.ts';
import type { WaitingPods } from '../framework/waiting-pods.ts';
import type { SchedulingQueue } from '../queue/scheduling-queue.ts';
import { nodeChanges, podChanges } from './changes.ts';

export interface Informed {
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly nominator: Nominator;
  readonly waiting: WaitingPods;
  /** Whether a profile of this scheduler has the pod's `schedulerName`. */
  isOurs(pod: Pod): boolean;
}

const isPlaced = ({ spec }: Pod): boolean => (spec.nodeName ?? '') !== '';

/** Pods that have ended take no room: to the scheduler they are gone. */
export function podHandler(informed: Informed): Handler<Pod> {
  const { cache, queue, nominator, waiting } = informed;

  const addPlaced = (pod: Pod): void => {
    const info = podInfoOf(pod);
    queue.delete(info.uid);
    nominator.remove(info.uid);
    cache.setPod(info, pod.spec.nodeName ?? '');
    queue.move({ resource: 'AssignedPod', actions: action.add }, undefined, info);
  };

  const addWaiting = (pod: Pod): void => {
    if (!informed.isOurs(pod) || pod.metadata.deletionTimestamp !== undefined) return;
    const info = podInfoOf(pod);
    if (cache.isAssumed(info.uid)) return; // It is being bound.
    const nominated = pod.status?.nominatedNodeName ?? '';
    if (nominated !== '') nominator.set(info, nominated);
    queue.add(info);
  };

  const updateWaiting = (old: Pod, pod: Pod): void => {
    if (!informed.isOurs(pod)) return;
    const { uid } = pod.metadata;
    if (pod.metadata.deletionTimestamp !== undefined) {
      queue.delete(uid);
      nominator.remove(uid);
      waiting.get(uid)?.reject('', 'the pod is being deleted');
      return;
    }
    if (cache.isAssumed(uid)) return;
    const info = podInfoOf(pod);
    const nominated = pod.status?.nominatedNodeName ?? '';
    if (nominated !== (old.status?.nominatedNodeName ?? '') || nominator.nodeOf(uid) !== undefined) {
      nominator.set(info, nominated === '' && old.status?.nominatedNodeName === undefined ? (nominator.nodeOf(uid) ?? '') : nominated);
    }
    const actions = podChanges(old, pod, podInfoOf);
    queue.update(info, actions === 0 ? undefined : { resource: 'TargetPod', actions });
  };

  const remove = (pod: Pod): void => {
    const { uid } = pod.metadata;
    queue.delete(uid);
    nominator.remove(uid);
    waiting.get(uid)?.reject('', 'the pod was deleted');
    const hadRoom = cache.nodeOf(uid) !== undefined;
    cache.removePod(uid);
    if (hadRoom || isPlaced(pod)) queue.move({ resource: 'AssignedPod', actions: action.delete }, podInfoOf(pod), undefined);
  };

  return {
    onAdd(pod) {
      if (isPodTerminal(pod)) return;
      if (isPlaced(pod)) addPlaced(pod);
      else addWaiting(pod);
    },
    onUpdate(old, pod) {
      if (isPodTerminal(pod)) {
        if (!isPodTerminal(old)) remove(pod);
        return;
      }
      if (!isPlaced(pod)) {
        updateWaiting(old, pod);
        return;
      }
      if (!isPlaced(old)) {
        addPlaced(pod);
        return;
      }
      const actions = podChanges(old, pod, podInfoOf);
      if (actions === 0) return;
      const info = podInfoOf(pod);
      cache.setPod(info, pod.spec.nodeName ?? '');
      queue.move({ resource: 'AssignedPod', actions }, podInfoOf(old), info);
    },
    onDelete(pod) {
      if (!isPodTerminal(pod)) remove(pod);
    },
  };
}

export function nodeHandler({ cache, queue }: Informed): Handler<Node> {
  return {
    onAdd(node) {
      cache.setNode(node);
      queue.move({ resource: 'Node', actions: action.add }, undefined, node);
    },
    onUpdate(old, node) {
      const actions = nodeChanges(old, node);
      if (actions === 0) return;
      cache.setNode(node);
      // A node that one plugin kept pods from was not shown to the others: to them its change is like a new node.
      queue.move({ resource: 'Node', actions: actions | action.add }, old, node);
    },
    onDelete(node) {
      cache.removeNode(node.metadata.name);
      queue.move({ resource: 'Node', actions: action.delete }, node, undefined);
    },
  };
}

/** What volumes are there, and who has them, decides where pods that wait for one may go. */
export function storageHandler<T extends KubeObject>(
  { queue }: Pick<Informed, 'queue'>,
  resource: 'PersistentVolumeClaim' | 'PersistentVolume' | 'StorageClass',
): Handler<T> {
  return {
    onAdd: (object) => queue.move({ resource, actions: action.add }, undefined, object),
    onUpdate: (old, object) => queue.move({ resource, actions: action.update }, old, object),
    onDelete: (object) => queue.move({ resource, actions: action.delete }, object, undefined),
  };
}

/** Labels of namespaces decide which pods affinity terms speak about. */
export function namespaceHandler({ cache, queue }: Informed): Handler<Namespace> {
  const changed = (actions: number, old: Namespace | undefined, namespace: Namespace | undefined): void => {
    cache.index.namespacesChanged();
    queue.move({ resource: 'Namespace', actions }, old, namespace);
  };
  return {
    onAdd: (namespace) => changed(action.add, undefined, namespace),
    onUpdate(old, namespace) {
      if (!equalJson(old.metadata.labels ?? {}, namespace.metadata.labels ?? {})) changed(action.update, old, namespace);
    },
    onDelete: (namespace) => changed(action.delete, namespace, undefined),
  };
}
