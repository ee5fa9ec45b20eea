import { deployments, replicaSets } from '@orrery/api';
import type { Deployment, DeploymentStatus, ReplicaSet } from '@orrery/api/apps/v1';
import type { Pod } from '@orrery/api/core/v1';
import {
  equalJson,
  isAlreadyExists,
  type Json,
  keyOf,
  type NamespacedName,
  type NewObject,
  selectorFromLabelSelector,
} from '@orrery/apimachinery';
import { type EventRecorder, findCondition, isPodTerminal, type Lister, newControllerRef } from '@orrery/client';
import { claimObjects, isNamespaceTerminating, type ObjectControl, type Result, recheckDeletion } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { ownerIndex, ownerKey } from '../replicas/owner-index.ts';
import { currentSetAnnotations, nextRevision, POD_TEMPLATE_HASH, REVISION, revisionOf, sizeAnnotations } from './annotations.ts';
import { activeSets, isRollingUpdate, replicasOf } from './bounds.ts';
import { newSetReplicas, type Resize, resizeNewSet, resizeOldSets } from './rollout.ts';
import { isScalingEvent, scaleSets } from './scaling.ts';
import { calculateStatus, condition, deadlineInMs, hasProgressDeadline, isComplete, rolloutStatus, withCondition } from './status.ts';
import { equalTemplates, findNewSet, templateHash } from './template.ts';

export interface DeploymentDeps {
  readonly context: ControllerContext;
  readonly deployments: Lister<Deployment>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly pods: Lister<Pod>;
  readonly control: ObjectControl<ReplicaSet>;
  readonly recorder: EventRecorder;
}

/** One deployment in one pass: what is read once, and what the steps share. */
interface Pass {
  readonly deps: DeploymentDeps;
  readonly signal: AbortSignal;
  readonly nowMs: number;
  /** The newest state: writes in this pass replace it. */
  deployment: Deployment;
  sets: readonly ReplicaSet[];
}

/** Level-driven: looks at all of a deployment's replica sets and takes the next step of its rollout. Source: syncDeployment. */
export async function reconcileDeployment(deps: DeploymentDeps, key: NamespacedName, signal: AbortSignal): Promise<Result> {
  const deployment = deps.deployments.get(key);
  if (deployment === undefined) return {};
  const { recorder, context } = deps;
  const selector = selectorFromLabelSelector(deployment.spec.selector);
  const pass: Pass = { deps, signal, nowMs: context.clock.now(), deployment, sets: [] };
  if (selector.everything) {
    recorder.event(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.');
    return {};
  }
  pass.sets = await claimSets(pass);
  if (deployment.metadata.deletionTimestamp !== undefined)
    return writeStatus(pass, calculateStatus(deployment, pass.sets, findNewSet(deployment, pass.sets), pass.nowMs));
  await recordPause(pass);
  if (deployment.spec.paused === true || isScalingEvent(pass.deployment, pass.sets)) return scaleOnly(pass);
  return isRollingUpdate(deployment) ? rollingUpdate(pass) : recreate(pass);
}

async function claimSets({ deps, deployment, signal }: Pass): Promise<readonly ReplicaSet[]> {
  const namespace = deployment.metadata.namespace ?? '';
  const { replicaSets: lister, control, context } = deps;
  return claimObjects(
    [...lister.byIndex(ownerIndex, ownerKey(namespace, deployment.metadata.uid)), ...lister.byIndex(ownerIndex, ownerKey(namespace, ''))],
    {
      owner: deployment,
      selector: selectorFromLabelSelector(deployment.spec.selector),
      control,
      canAdopt: recheckDeletion(context.client, deployments, deployment, signal),
      signal,
    },
  );
}

/** While a deployment is paused its deadline does not run. */
async function recordPause(pass: Pass): Promise<void> {
  const { deployment, nowMs } = pass;
  const { conditions = [] } = deployment.status;
  const current = findCondition(conditions, 'Progressing');
  if (!hasProgressDeadline(deployment) || current?.reason === 'ProgressDeadlineExceeded') return;
  const shown = current?.reason === 'DeploymentPaused';
  const paused = deployment.spec.paused === true;
  if (paused === shown) return;
  const next = paused
    ? condition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', nowMs)
    : condition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', nowMs);
  await updateStatus(pass, { ...deployment.status, conditions: withCondition(conditions, next) });
}

const oldSetsOf = (sets: readonly ReplicaSet[], newSet: ReplicaSet | undefined): readonly ReplicaSet[] =>
  sets.filter((set) => set.metadata.uid !== newSet?.metadata.uid);

async function scaleOnly(pass: Pass): Promise<Result> {
  const newSet = await syncNewSet(pass, false);
  await resize(pass, scaleSets(pass.deployment, newSet, oldSetsOf(pass.sets, newSet)));
  if (pass.deployment.spec.paused === true) await cleanUp(pass, newSet);
  return writeStatus(pass, calculateStatus(pass.deployment, pass.sets, findNewSet(pass.deployment, pass.sets), pass.nowMs));
}

async function rollingUpdate(pass: Pass): Promise<Result> {
  const newSet = await syncNewSet(pass, true);
  if (newSet === undefined) return {}; // Its namespace is going away.
  const up = resizeNewSet(pass.deployment, pass.sets, newSet);
  if (up !== undefined) {
    await resize(pass, [up]);
    return finishPass(pass);
  }
  const down = resizeOldSets(pass.deployment, pass.sets, oldSetsOf(pass.sets, newSet), newSet);
  if (down.length > 0) {
    await resize(pass, down);
    return finishPass(pass);
  }
  if (isComplete(pass.deployment, pass.deployment.status)) await cleanUp(pass, newSet);
  return finishPass(pass);
}

async function recreate(pass: Pass): Promise<Result> {
  const existing = await syncNewSet(pass, false);
  const oldSets = oldSetsOf(pass.sets, existing);
  const down = activeSets(oldSets).map((set) => ({ set, replicas: 0 }));
  if (down.length > 0) {
    await resize(pass, down);
    return finishPass(pass);
  }
  if (oldSets.some((set) => runsPods(pass, set))) return finishPass(pass);
  const newSet = existing ?? (await syncNewSet(pass, true));
  if (newSet === undefined) return {};
  await resize(pass, [{ set: newSet, replicas: replicasOf(pass.deployment) }]);
  if (isComplete(pass.deployment, pass.deployment.status)) await cleanUp(pass, newSet);
  return finishPass(pass);
}

const runsPods = ({ deps }: Pass, { metadata }: ReplicaSet): boolean =>
  deps.pods.byIndex(ownerIndex, ownerKey(metadata.namespace ?? '', metadata.uid)).some((pod) => !isPodTerminal(pod));

const finishPass = (pass: Pass): Promise<Result> =>
  writeStatus(pass, rolloutStatus(pass.deployment, pass.sets, findNewSet(pass.deployment, pass.sets), pass.nowMs));

/** The set for the current template, with its annotations right; made when it is not there and `create`. */
async function syncNewSet(pass: Pass, create: boolean): Promise<ReplicaSet | undefined> {
  const existing = findNewSet(pass.deployment, pass.sets);
  if (existing === undefined) return create ? createSet(pass) : undefined;
  const revision = nextRevision(oldSetsOf(pass.sets, existing));
  const annotations = currentSetAnnotations(pass.deployment, existing, revision);
  const { minReadySeconds } = pass.deployment.spec;
  let current = existing;
  if (!equalJson(annotations, existing.metadata.annotations ?? {}) || (minReadySeconds ?? 0) !== (existing.spec.minReadySeconds ?? 0)) {
    const { minReadySeconds: _old, ...spec } = existing.spec;
    current = await updateSet(pass, {
      ...existing,
      metadata: { ...existing.metadata, annotations },
      spec: { ...spec, ...(minReadySeconds === undefined ? {} : { minReadySeconds }) },
    });
  }
  await recordNewSet(pass, current, 'FoundNewReplicaSet', `Found new replica set "${current.metadata.name}"`, false);
  return current;
}

async function createSet(pass: Pass): Promise<ReplicaSet | undefined> {
  const { deps, deployment, signal } = pass;
  const wanted = newSet(deployment, pass.sets);
  const name = wanted.metadata.name ?? '';
  let created: ReplicaSet;
  try {
    created = await deps.context.client.create(replicaSets, wanted, { signal });
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined;
    if (!isAlreadyExists(error)) throw await recordFailure(pass, name, error);
    created = await takeExisting(pass, name, error);
  }
  pass.sets = [...pass.sets.filter(({ metadata }) => metadata.uid !== created.metadata.uid), created];
  if (replicasOf(created) > 0)
    deps.recorder.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicasOf(created)}`);
  await recordNewSet(pass, created, 'NewReplicaSetCreated', `Created new replica set "${name}"`, true);
  return created;
}

function newSet(deployment: Deployment, sets: readonly ReplicaSet[]): NewObject<ReplicaSet> {
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = templateHash(template, deployment.status.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  const { namespace } = deployment.metadata;
  const annotations = {
    ...currentSetAnnotations(deployment, { metadata: {} } as ReplicaSet, nextRevision(sets)),
    ...sizeAnnotations(deployment),
  };
  return {
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations,
      ownerReferences: [newControllerRef(deployment, deployments)],
    },
    spec: {
      replicas: newSetReplicas(deployment, sets, 0),
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** The name is taken: by our own set that the cache has not shown, or by another template with this hash, which asks for another name. */
async function takeExisting(pass: Pass, name: string, error: unknown): Promise<ReplicaSet> {
  const { deps, deployment, signal } = pass;
  const found = await deps.context.client.get(replicaSets, { name, namespace: deployment.metadata.namespace }, { signal });
  const ours =
    found.metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === deployment.metadata.uid) === true;
  if (ours && found.spec.template !== undefined && equalTemplates(found.spec.template, deployment.spec.template)) return found;
  await updateStatus(pass, { ...deployment.status, collisionCount: (deployment.status.collisionCount ?? 0) + 1 });
  throw error;
}

async function recordFailure(pass: Pass, name: string, error: unknown): Promise<unknown> {
  const { deps, deployment, nowMs } = pass;
  const message = `Failed to create new replica set "${name}": ${error instanceof Error ? error.message : String(error)}`;
  deps.recorder.event(deployment, 'Warning', 'ReplicaSetCreateError', message);
  if (hasProgressDeadline(deployment)) {
    const next = condition('Progressing', 'False', 'ReplicaSetCreateError', message, nowMs);
    await updateStatus(pass, { ...deployment.status, conditions: withCondition(deployment.status.conditions ?? [], next) });
  }
  return error;
}

/** The deployment's own revision and, at the start of a rollout, its Progressing condition. */
async function recordNewSet(pass: Pass, set: ReplicaSet, reason: string, message: string, created: boolean): Promise<void> {
  const { deployment, nowMs } = pass;
  const revision = String(revisionOf(set));
  const { conditions = [] } = deployment.status;
  const starts = hasProgressDeadline(deployment) && (created || findCondition(conditions, 'Progressing') === undefined);
  if (deployment.metadata.annotations?.[REVISION] === revision && !starts) return;
  const annotations = { ...deployment.metadata.annotations, [REVISION]: revision };
  const next = starts ? withCondition(conditions, condition('Progressing', 'True', reason, message, nowMs)) : conditions;
  const metadata = { ...deployment.metadata, annotations };
  pass.deployment = { ...deployment, metadata };
  await updateStatus(pass, { ...deployment.status, ...(next.length === 0 ? {} : { conditions: next }) });
}

async function resize(pass: Pass, sizes: readonly Resize[]): Promise<void> {
  for (const { set, replicas } of sizes) {
    const { deployment, deps } = pass;
    const before = replicasOf(set);
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
    if (before === replicas && equalJson(annotations, set.metadata.annotations ?? {})) continue;
    await updateSet(pass, { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } });
    if (before === replicas) continue;
    deps.recorder.event(
      deployment,
      'Normal',
      'ScalingReplicaSet',
      `Scaled ${before < replicas ? 'up' : 'down'} replica set ${set.metadata.name} from ${before} to ${replicas}`,
    );
  }
}

async function updateSet(pass: Pass, set: ReplicaSet): Promise<ReplicaSet> {
  const updated = await pass.deps.context.client.update(replicaSets, set, { signal: pass.signal });
  pass.sets = pass.sets.map((other) => (other.metadata.uid === updated.metadata.uid ? updated : other));
  return updated;
}

/** Deletes old, empty sets beyond the history that the deployment keeps, the lowest revisions first. */
async function cleanUp(pass: Pass, newSet: ReplicaSet | undefined): Promise<void> {
  const { revisionHistoryLimit } = pass.deployment.spec;
  if (revisionHistoryLimit === undefined) return;
  const living = oldSetsOf(pass.sets, newSet).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const surplus = living.length - revisionHistoryLimit;
  if (surplus <= 0) return;
  const ordered = [...living].sort((a, b) => revisionOf(a) - revisionOf(b));
  for (const set of ordered.slice(0, surplus)) {
    const { metadata, status } = set;
    if (status.replicas !== 0 || replicasOf(set) !== 0 || (metadata.generation ?? 0) > (status.observedGeneration ?? 0)) continue;
    await pass.deps.context.client.delete(replicaSets, metadata, { signal: pass.signal, preconditions: { uid: metadata.uid } });
  }
}

async function updateStatus(pass: Pass, status: DeploymentStatus): Promise<void> {
  pass.deployment = await pass.deps.context.client.updateStatus(deployments, { ...pass.deployment, status }, { signal: pass.signal });
}

/** Writes what changed, and comes back when the rollout's deadline passes. */
async function writeStatus(pass: Pass, status: DeploymentStatus): Promise<Result> {
  if (!equalJson(status as unknown as Json, pass.deployment.status as unknown as Json)) await updateStatus(pass, status);
  if (isComplete(pass.deployment, status)) return {};
  const leftMs = deadlineInMs(pass.deployment, status, pass.nowMs);
  return leftMs === undefined || leftMs <= 0 ? {} : { requeueAfterMs: leftMs + 1000 };
}

/** The deployment of a pod, for those that wait until the last old pod is gone. */
export function recreatingDeployment(
  { deployments: lister, replicaSets: sets }: Pick<DeploymentDeps, 'deployments' | 'replicaSets'>,
  pod: Pod,
): readonly NamespacedName[] {
  const namespace = pod.metadata.namespace ?? '';
  const setName = pod.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === 'ReplicaSet')?.name;
  const set = setName === undefined ? undefined : sets.get(keyOf({ metadata: { name: setName, namespace } }));
  const name = set?.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === 'Deployment')?.name;
  const deployment = name === undefined ? undefined : lister.get({ name, namespace });
  return deployment === undefined || isRollingUpdate(deployment) ? [] : [{ name: deployment.metadata.name, namespace }];
}
