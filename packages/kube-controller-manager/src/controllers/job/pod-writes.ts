import { jobs as jobResource, pods as podResource } from '@orrery/api';
import type { Job } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { isNotFound, selectorFromLabelSelector } from '@orrery/apimachinery';
import { type Client, controllerRef, isPodReady, newControllerRef } from '@orrery/client';
import { claimObjects, isNamespaceTerminating, type ObjectControl, recheckDeletion, slowStartBatch } from '@orrery/controller';
import { ownerIndex, ownerKey } from '../replicas/owner-index.ts';
import type { JobPass } from './job-deps.ts';
import { isTracked, TRACKING_FINALIZER } from './job-pods.ts';
import { jobPod } from './pod-template.ts';

/** What a round of writes came to. */
export interface Written {
  /** Pods made or deleted. */
  readonly count: number;
  /** Deleted pods that were ready. */
  readonly ready: number;
  /** The first failure. */
  readonly error: unknown;
}

/** All pods of the job; orphans that match are adopted and from then on tracked. */
export async function claimJobPods({ deps, signal }: JobPass, job: Job): Promise<readonly Pod[]> {
  const namespace = job.metadata.namespace ?? '';
  const { client } = deps.context;
  const claimed = await claimObjects(
    [...deps.pods.byIndex(ownerIndex, ownerKey(namespace, job.metadata.uid)), ...deps.pods.byIndex(ownerIndex, ownerKey(namespace, ''))],
    {
      owner: job,
      selector: selectorFromLabelSelector(job.spec.selector),
      control: trackingClaims(client),
      canAdopt: recheckDeletion(client, jobResource, job, signal),
      signal,
    },
  );
  return claimed.map((pod) => (controllerRef(pod) === undefined ? withTracking(pod) : pod));
}

const withTracking = (pod: Pod): Pod =>
  isTracked(pod) ? pod : { ...pod, metadata: { ...pod.metadata, finalizers: [...(pod.metadata.finalizers ?? []), TRACKING_FINALIZER] } };

/** Adopts and releases together with the finalizer. */
function trackingClaims(client: Pick<Client, 'patch'>): Pick<ObjectControl<Pod>, 'adopt' | 'release'> {
  return {
    async adopt({ metadata }, owner, signal) {
      const ownerReferences = [newControllerRef(owner, jobResource)];
      const patch = { metadata: { ownerReferences, finalizers: [TRACKING_FINALIZER], uid: metadata.uid } };
      await client.patch(podResource, metadata, 'strategic', patch, { signal });
    },
    async release({ metadata }, owner, signal) {
      const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }];
      const patch = { metadata: { ...withoutTracking, ownerReferences, uid: metadata.uid } };
      await client.patch(podResource, metadata, 'strategic', patch, { signal });
    },
  };
}

const withoutTracking = { '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] };

/** Lets the pod go. Rejects with 404 when it is gone. */
export async function removeFinalizer(client: Pick<Client, 'patch'>, { metadata }: Pod, signal: AbortSignal): Promise<void> {
  await client.patch(podResource, metadata, 'strategic', { metadata: { ...withoutTracking, uid: metadata.uid } }, { signal });
}

/** Makes `count` pods, or one for each of `indexes`. @param kept - The failed pods that they replace. */
export async function createPods(
  { deps, key, signal }: JobPass,
  job: Job,
  { count, indexes }: { readonly count: number; readonly indexes: readonly number[] | undefined },
  kept: ReadonlyMap<number, Pod>,
): Promise<Written> {
  const { memory, control } = deps;
  memory.expectations.expect(key, { creations: count });
  const { successes, skipped, error } = await slowStartBatch(count, async (at) => {
    const index = indexes?.[at];
    try {
      await control.create(jobPod(job, index, index === undefined ? undefined : kept.get(index)), job, signal);
    } catch (err) {
      memory.expectations.creationObserved(key);
      if (!isNamespaceTerminating(err)) throw err; // There nothing can be made, and nothing is to be said.
    }
  });
  for (let i = 0; i < skipped; i += 1) memory.expectations.creationObserved(key);
  return { count: successes, ready: 0, error };
}

/** Deletes pods that the job has too many of: they are not counted, so their finalizer goes first. */
export async function removeSurplus(pass: JobPass, job: Job, pods: readonly Pod[]): Promise<Written> {
  const { deps, key, signal } = pass;
  const { expectations } = deps.memory;
  expectations.expect(key, { deletions: pods.map(({ metadata }) => metadata.uid) });
  return each(pods, async (pod) => {
    try {
      if (isTracked(pod)) await removeFinalizer(deps.context.client, pod, signal);
      await deps.control.remove(pod, job, signal);
    } catch (error) {
      expectations.deletionObserved(key, pod.metadata.uid);
      throw error;
    }
  });
}

/** Deletes the pods of a job that ends: their finalizer stays until they are counted. */
export const removeActive = ({ deps, signal }: JobPass, job: Job, pods: readonly Pod[]): Promise<Written> =>
  each(pods, (pod) => deps.control.remove(pod, job, signal));

/** Removes the tracking finalizer. Returns the uids of those that no longer have it. */
export async function releasePods(
  { deps, key, signal }: JobPass,
  pods: readonly Pod[],
): Promise<{ readonly uids: readonly string[]; readonly error: unknown }> {
  const { released } = deps.memory;
  const awaited = released.get(key) ?? new Set();
  if (pods.length > 0) released.set(key, awaited);
  const uids: string[] = [];
  const { error } = await each(pods, async (pod) => {
    awaited.add(pod.metadata.uid); // Before the write: its event may come before its answer.
    try {
      await removeFinalizer(deps.context.client, pod, signal);
    } catch (err) {
      awaited.delete(pod.metadata.uid);
      if (!isNotFound(err)) throw err;
    }
    uids.push(pod.metadata.uid);
  });
  return { uids, error };
}

/** All at once; what is gone already counts as done. */
async function each(pods: readonly Pod[], write: (pod: Pod) => Promise<void>): Promise<Written> {
  let count = 0;
  let ready = 0;
  let error: unknown;
  const one = async (pod: Pod): Promise<void> => {
    try {
      await write(pod);
    } catch (err) {
      if (!isNotFound(err)) {
        error ??= err;
        return;
      }
    }
    count += 1;
    if (isPodReady(pod)) ready += 1;
  };
  await Promise.all(pods.map(one));
  return { count, ready, error };
}
