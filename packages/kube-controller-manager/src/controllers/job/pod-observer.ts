import type { Job } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { keyOf, type NamespacedName, type OwnerReference, selectorFromLabelSelector } from '@orrery/apimachinery';
import { controllerRef, type Handler, isPodTerminating, type Lister } from '@orrery/client';
import type { JobMemory } from './job-deps.ts';
import { isTracked } from './job-pods.ts';

/** Settles what the job controller waits to see, and wakes jobs that may adopt an orphan. */
export function newPodObserver(jobs: Lister<Job>, memory: JobMemory, enqueue: (key: NamespacedName) => void): Handler<Pod> {
  const keyOfOwner = (pod: Pod, reference: OwnerReference | undefined): string | undefined =>
    reference?.kind === 'Job' ? keyOf({ metadata: { name: reference.name, namespace: pod.metadata.namespace ?? '' } }) : undefined;

  const releaseSeen = (pod: Pod, key: string | undefined): void => {
    const awaited = key === undefined ? undefined : memory.released.get(key);
    if (key === undefined || awaited?.delete(pod.metadata.uid) !== true) return;
    if (awaited.size === 0) memory.released.delete(key);
  };
  const deletionSeen = (pod: Pod): void => {
    const key = keyOfOwner(pod, controllerRef(pod));
    if (key !== undefined) memory.expectations.deletionObserved(key, pod.metadata.uid);
  };
  const wakeAdopters = (pod: Pod): void => {
    if (controllerRef(pod) !== undefined || isPodTerminating(pod)) return;
    for (const job of jobs.byNamespace(pod.metadata.namespace ?? '')) {
      if (selectorFromLabelSelector(job.spec.selector).matches(pod.metadata.labels ?? {})) enqueue(job.metadata);
    }
  };
  return {
    onAdd(pod) {
      const key = keyOfOwner(pod, controllerRef(pod));
      if (isPodTerminating(pod)) deletionSeen(pod);
      if (key !== undefined) memory.expectations.creationObserved(key);
      wakeAdopters(pod);
    },
    onUpdate(old, pod) {
      if (isPodTerminating(pod)) deletionSeen(pod);
      if (!isTracked(pod)) {
        releaseSeen(pod, keyOfOwner(pod, controllerRef(pod)));
        releaseSeen(pod, keyOfOwner(old, controllerRef(old)));
      }
      if (pod.metadata.labels !== old.metadata.labels || controllerRef(old) !== undefined) wakeAdopters(pod);
    },
    onDelete(pod) {
      deletionSeen(pod);
      releaseSeen(pod, keyOfOwner(pod, controllerRef(pod)));
    },
  };
}
