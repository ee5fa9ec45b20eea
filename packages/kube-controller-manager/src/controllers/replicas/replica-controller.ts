import { isDeepStrictEqual } from 'node:util';
import { pods as podResource } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { formatTime, isNotFound, type KubeObject, keyOf, type NamespacedName } from '@orrery/apimachinery';
import { controllerRef, type Informer, isPodActive, isPodTerminating, type Lister } from '@orrery/client';
import {
  claimObjects,
  type Expectations,
  isNamespaceTerminating,
  newController,
  newExpectations,
  newObjectControl,
  type ObjectControl,
  podFromTemplate,
  type Result,
  type Runnable,
  recheckDeletion,
  slowStartBatch,
} from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { crowdingOf, inDeletionOrder } from './deletion-order.ts';
import { indexByOwner, ownerIndex, ownerKey } from './owner-index.ts';
import type { ReplicaOwner } from './replica-owner.ts';
import { type Failure, nextAvailableInMs, replicaStatus } from './replica-status.ts';

/** Pods made or deleted in one pass; the rest waits for the next. Source: BurstReplicas. */
export const BURST_REPLICAS_MAX = 500;

interface Deps<T extends KubeObject> {
  readonly context: ControllerContext;
  readonly owner: ReplicaOwner<T>;
  readonly owners: Lister<T>;
  readonly pods: Lister<Pod>;
  readonly control: ObjectControl<Pod>;
  readonly expectations: Expectations;
}

/** Keeps as many pods as each owner asks for. One implementation serves ReplicaSet and ReplicationController. */
export function newReplicaController<T extends KubeObject>(name: string, owner: ReplicaOwner<T>, context: ControllerContext): Runnable {
  const { client, clock, informers, log, metrics, config } = context;
  const podInformer = informers.informer(podResource, { indexers: { [ownerIndex]: indexByOwner } });
  const ownerInformer = informers.informer(owner.resource);
  const expectations = newExpectations({ clock });
  const recorder = context.recorderFor(owner.component);
  const control = newObjectControl({ client, resource: podResource, owner: owner.resource, recorder });
  const deps = { context, owner, owners: ownerInformer.lister, pods: podInformer.lister, control, expectations };
  const controller = newController({
    name,
    clock,
    informerFactory: informers,
    primary: owner.resource,
    owns: [podResource],
    reads: [podInformer],
    workers: config.concurrentSyncs,
    reconciler: { reconcile: (key, signal) => reconcile(deps, key, signal) },
    log,
    ...(metrics === undefined ? {} : { metrics }),
  });
  return {
    async run(signal) {
      const handler = observePods(podInformer, ownerInformer.lister, owner, expectations, (key) => controller.enqueue(key));
      try {
        await controller.run(signal);
      } finally {
        handler.remove();
      }
    },
  };
}

/** Settles expectations, and wakes the owners that may adopt an orphan. */
function observePods<T extends KubeObject>(
  informer: Informer<Pod>,
  owners: Lister<T>,
  owner: ReplicaOwner<T>,
  expectations: Expectations,
  enqueue: (key: NamespacedName) => void,
) {
  const keyOfOwner = (pod: Pod): string | undefined => {
    const reference = controllerRef(pod);
    if (reference?.kind !== owner.resource.kind) return undefined;
    return keyOf({ metadata: { name: reference.name, namespace: pod.metadata.namespace ?? '' } });
  };
  const deleted = (pod: Pod): void => {
    const key = keyOfOwner(pod);
    if (key !== undefined) expectations.deletionObserved(key, pod.metadata.uid);
  };
  const wakeAdopters = (pod: Pod): void => {
    if (controllerRef(pod) !== undefined || isPodTerminating(pod)) return;
    for (const candidate of owners.byNamespace(pod.metadata.namespace ?? '')) {
      if (owner.selector(candidate).matches(pod.metadata.labels ?? {})) enqueue(candidate.metadata);
    }
  };
  return informer.addHandler({
    onAdd(pod) {
      const key = keyOfOwner(pod);
      if (key !== undefined) expectations.creationObserved(key);
      if (isPodTerminating(pod)) deleted(pod);
      wakeAdopters(pod);
    },
    onUpdate(old, pod) {
      if (isPodTerminating(pod) && !isPodTerminating(old)) deleted(pod);
      if (pod.metadata.labels !== old.metadata.labels || controllerRef(old) !== undefined) wakeAdopters(pod);
    },
    onDelete: deleted,
  });
}

async function reconcile<T extends KubeObject>(deps: Deps<T>, name: NamespacedName, signal: AbortSignal): Promise<Result> {
  const { owner, owners, expectations, context } = deps;
  const key = keyOf({ metadata: { name: name.name, namespace: name.namespace ?? '' } });
  const object = owners.get(key);
  if (object === undefined) {
    expectations.forget(key);
    return {};
  }
  const settled = expectations.isSettled(key);
  const { active, terminating } = await claimPods(deps, object, signal);
  const failure =
    settled && object.metadata.deletionTimestamp === undefined ? await manageReplicas(deps, key, object, active, signal) : undefined;
  const nowMs = context.clock.now();
  const minReadySeconds = owner.minReadySeconds(object);
  const status = replicaStatus({
    old: owner.status(object),
    template: owner.template(object),
    minReadySeconds,
    generation: object.metadata.generation ?? 0,
    pods: active,
    terminating: owner.countsTerminating ? terminating : undefined,
    failure: failure?.shown,
    nowMs,
    now: formatTime(nowMs),
  });
  if (!isDeepStrictEqual(status, owner.status(object))) {
    await context.client.updateStatus(owner.resource, owner.withStatus(object, status), { signal });
  }
  if (failure !== undefined) throw failure.error; // Try again, with backoff.
  const waitMs = nextAvailableInMs(active, minReadySeconds, nowMs);
  return waitMs === undefined ? {} : { requeueAfterMs: waitMs };
}

async function claimPods<T extends KubeObject>({ owner, pods, control, context }: Deps<T>, object: T, signal: AbortSignal) {
  const namespace = object.metadata.namespace ?? '';
  const candidates = [
    ...pods.byIndex(ownerIndex, ownerKey(namespace, object.metadata.uid)),
    ...pods.byIndex(ownerIndex, ownerKey(namespace, '')),
  ];
  const active = await claimObjects(candidates.filter(isPodActive), {
    owner: object,
    selector: owner.selector(object),
    control,
    canAdopt: recheckDeletion(context.client, owner.resource, object, signal),
    signal,
  });
  const terminating = candidates.filter((pod) => isPodTerminating(pod) && controllerRef(pod)?.uid === object.metadata.uid).length;
  return { active, terminating };
}

/** Creates or deletes pods until the count is right. Returns what failed. */
async function manageReplicas<T extends KubeObject>(
  deps: Deps<T>,
  key: string,
  object: T,
  active: readonly Pod[],
  signal: AbortSignal,
): Promise<{ readonly error: unknown; readonly shown: Failure } | undefined> {
  const missing = deps.owner.replicas(object) - active.length;
  if (missing > 0) return createPods(deps, key, object, Math.min(missing, BURST_REPLICAS_MAX), signal);
  if (missing < 0) return deletePods(deps, key, object, active, Math.min(-missing, BURST_REPLICAS_MAX), signal);
  return undefined;
}

async function createPods<T extends KubeObject>(
  { owner, control, expectations }: Deps<T>,
  key: string,
  object: T,
  count: number,
  signal: AbortSignal,
) {
  expectations.expect(key, { creations: count });
  const pod = podFromTemplate(owner.template(object), object);
  const { skipped, error } = await slowStartBatch(count, async () => {
    try {
      await control.create(pod, object, signal);
    } catch (err) {
      expectations.creationObserved(key);
      if (!isNamespaceTerminating(err)) throw err; // There nothing can be made, and nothing is to be said.
    }
  });
  for (let i = 0; i < skipped; i += 1) expectations.creationObserved(key);
  return error === undefined ? undefined : { error, shown: { reason: 'FailedCreate', message: messageOf(error) } as const };
}

async function deletePods<T extends KubeObject>(
  deps: Deps<T>,
  key: string,
  object: T,
  active: readonly Pod[],
  count: number,
  signal: AbortSignal,
) {
  const { owner, control, expectations, context } = deps;
  const crowding = crowdingOf(owner.related?.(object) ?? active);
  const victims = count >= active.length ? active : inDeletionOrder(active, crowding, context.clock.now()).slice(0, count);
  expectations.expect(key, { deletions: victims.map(({ metadata }) => metadata.uid) });
  const outcomes = await Promise.allSettled(
    victims.map(async (pod) => {
      try {
        await control.remove(pod, object, signal);
      } catch (err) {
        expectations.deletionObserved(key, pod.metadata.uid);
        if (!isNotFound(err)) throw err;
      }
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  return failed === undefined
    ? undefined
    : { error: failed.reason as unknown, shown: { reason: 'FailedDelete', message: messageOf(failed.reason) } as const };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
