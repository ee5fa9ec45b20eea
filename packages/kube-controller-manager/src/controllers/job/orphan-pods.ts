import { jobs as jobResource, pods as podResource } from '@orrery/api';
import type { Job } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import { controllerRef, type Lister } from '@orrery/client';
import { type Controller, newController, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { indexByOwner, ownerIndex, ownerKey } from '../replicas/owner-index.ts';
import { isJobFinished, isManagedElsewhere, isTracked } from './job-pods.ts';
import { removeFinalizer } from './pod-writes.ts';

/** Whether a tracked pod has no job any more that would take its finalizer off. */
export function isLeftBehind(jobs: Lister<Job>, pod: Pod): boolean {
  if (!isTracked(pod)) return false;
  const owner = controllerRef(pod);
  if (owner === undefined) return true;
  if (owner.kind !== 'Job' || owner.apiVersion !== 'batch/v1') return false;
  const job = jobs.get({ namespace: pod.metadata.namespace, name: owner.name });
  return job === undefined || job.metadata.uid !== owner.uid || (isJobFinished(job) && !isManagedElsewhere(job));
}

/** Frees pods that outlive their job, or that nobody owns. Source: syncOrphanPod. */
export function newOrphanPodController(context: ControllerContext): Controller {
  const { client, clock, informers, log, metrics } = context;
  const jobs = informers.informer(jobResource).lister;
  const podInformer = informers.informer(podResource, { indexers: { [ownerIndex]: indexByOwner } });
  const leftBehind = (pod: Pod): boolean => isLeftBehind(jobs, pod);
  return newController({
    name: 'job-controller-orphan-pods',
    clock,
    informerFactory: informers,
    primary: podResource,
    predicate: { onAdd: leftBehind, onUpdate: (_, pod) => leftBehind(pod), onDelete: () => false },
    watches: [
      watchOf({
        resource: jobResource,
        mapToKeys: ({ metadata }) =>
          podInformer.lister
            .byIndex(ownerIndex, ownerKey(metadata.namespace ?? '', metadata.uid))
            .filter(isTracked)
            .map((pod) => pod.metadata),
        predicate: { onAdd: isJobFinished, onUpdate: (_, job) => isJobFinished(job) },
      }),
    ],
    reconciler: {
      async reconcile(key, signal) {
        const pod = podInformer.lister.get(key);
        if (pod === undefined || !leftBehind(pod)) return {};
        try {
          await removeFinalizer(client, pod, signal);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
        return {};
      },
    },
    log,
    ...(metrics === undefined ? {} : { metrics }),
  });
}
