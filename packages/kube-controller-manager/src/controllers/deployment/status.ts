import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '@orrery/api/apps/v1';
import { formatTime } from '@orrery/apimachinery';
import { findCondition } from '@orrery/client';
import { availableSum, maxUnavailableOf, replicasOf, wantedSum } from './bounds.ts';

type Conditions = readonly DeploymentCondition[];

const NO_DEADLINE = 2147483647; // MaxInt32, as the API writes "none".

export const hasProgressDeadline = ({ spec }: Deployment): boolean =>
  spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NO_DEADLINE;

export function condition(type: string, status: string, reason: string, message: string, nowMs: number): DeploymentCondition {
  const now = formatTime(nowMs);
  return { type, status, lastUpdateTime: now, lastTransitionTime: now, reason, message };
}

/** Replaces the condition of the type, unless status and reason stay; the transition time is kept while the status stays. Source: SetDeploymentCondition. */
export function withCondition(conditions: Conditions, next: DeploymentCondition): Conditions {
  const current = findCondition(conditions, next.type);
  if (current?.status === next.status && current.reason === next.reason) return conditions;
  const kept =
    current?.status === next.status && current.lastTransitionTime !== undefined
      ? { ...next, lastTransitionTime: current.lastTransitionTime }
      : next;
  return [...without(conditions, next.type), kept];
}

export const without = (conditions: Conditions, type: string): Conditions => conditions.filter((entry) => entry.type !== type);

/** Go leaves zero out of these fields. */
const counts = (values: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0));

const statusSum = (sets: readonly ReplicaSet[], of: (status: ReplicaSet['status']) => number | undefined): number =>
  sets.reduce((sum, { status }) => sum + (of(status) ?? 0), 0);

/** Counts and availability as of now. Source: calculateStatus. */
export function calculateStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const available = availableSum(sets);
  const enough = available >= replicasOf(deployment) - maxUnavailableOf(deployment);
  const availability = enough
    ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', nowMs)
    : condition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', nowMs);
  const { collisionCount, conditions = [] } = deployment.status;
  return {
    ...counts({
      replicas: statusSum(sets, ({ replicas }) => replicas),
      updatedReplicas: newSet?.status.replicas ?? 0,
      readyReplicas: statusSum(sets, ({ readyReplicas }) => readyReplicas),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, wantedSum(sets) - available),
    }),
    terminatingReplicas: statusSum(sets, ({ terminatingReplicas }) => terminatingReplicas),
    observedGeneration: deployment.metadata.generation ?? 0,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: withCondition(conditions, availability),
  };
}

export function isComplete(
  deployment: Deployment,
  { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 }: DeploymentStatus,
): boolean {
  const wanted = replicasOf(deployment);
  return (
    updatedReplicas === wanted &&
    replicas === wanted &&
    availableReplicas === wanted &&
    observedGeneration >= (deployment.metadata.generation ?? 0)
  );
}

function isProgressing({ status: old }: Deployment, next: DeploymentStatus): boolean {
  const outdated = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas;
  return (
    (next.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    outdated(next) < outdated(old) ||
    (next.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

/** Milliseconds until the rollout counts as stuck; 0 or less: it does. Undefined when nothing is under way. */
export function deadlineInMs(deployment: Deployment, { conditions = [] }: DeploymentStatus, nowMs: number): number | undefined {
  const progressing = findCondition(conditions, 'Progressing');
  if (!hasProgressDeadline(deployment) || progressing === undefined || progressing.reason === 'NewReplicaSetAvailable') return undefined;
  if (progressing.reason === 'ProgressDeadlineExceeded') return 0;
  const sinceMs = Date.parse(progressing.lastUpdateTime ?? '');
  return Number.isNaN(sinceMs) ? undefined : sinceMs + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 - nowMs;
}

/** Status in the course of a rollout, with its Progressing and ReplicaFailure conditions. Source: syncRolloutStatus. */
export function rolloutStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const status = calculateStatus(deployment, sets, newSet, nowMs);
  const conditions = failureConditions(progressConditions(deployment, status, newSet, nowMs), sets, newSet, nowMs);
  return { ...status, conditions };
}

function progressConditions(deployment: Deployment, status: DeploymentStatus, newSet: ReplicaSet | undefined, nowMs: number): Conditions {
  const conditions = status.conditions ?? [];
  if (!hasProgressDeadline(deployment)) return without(conditions, 'Progressing');
  const current = findCondition(conditions, 'Progressing');
  if (status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable') return conditions;
  const who = newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
  if (isComplete(deployment, status)) {
    return withCondition(
      conditions,
      condition('Progressing', 'True', 'NewReplicaSetAvailable', `${who} has successfully progressed.`, nowMs),
    );
  }
  if (isProgressing(deployment, status)) {
    const next = condition('Progressing', 'True', 'ReplicaSetUpdated', `${who} is progressing.`, nowMs);
    // Renewed each time, so that the deadline counts from the last progress.
    const kept =
      current?.status === 'True' && current.lastTransitionTime !== undefined
        ? { ...next, lastTransitionTime: current.lastTransitionTime }
        : next;
    return [...without(conditions, 'Progressing'), kept];
  }
  const leftMs = deadlineInMs(deployment, status, nowMs);
  if (leftMs === undefined || leftMs > 0) return conditions;
  return withCondition(
    conditions,
    condition('Progressing', 'False', 'ProgressDeadlineExceeded', `${who} has timed out progressing.`, nowMs),
  );
}

/** The failure of the new set, or of an old one, is the deployment's. */
function failureConditions(conditions: Conditions, sets: readonly ReplicaSet[], newSet: ReplicaSet | undefined, nowMs: number): Conditions {
  const failing = [...(newSet === undefined ? [] : [newSet]), ...sets]
    .map(({ status }) => findCondition(status.conditions, 'ReplicaFailure'))
    .find((found) => found !== undefined);
  if (failing === undefined) return without(conditions, 'ReplicaFailure');
  return withCondition(conditions, condition('ReplicaFailure', failing.status, failing.reason ?? '', failing.message ?? '', nowMs));
}
