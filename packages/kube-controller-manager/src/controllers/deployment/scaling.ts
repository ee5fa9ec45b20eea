import type { Deployment, ReplicaSet } from '@orrery/api/apps/v1';
import { DESIRED_REPLICAS, MAX_REPLICAS, numberAnnotation } from './annotations.ts';
import { activeSets, boundsOf, byCreation, isRollingUpdate, replicasOf, wantedSum } from './bounds.ts';
import type { Resize } from './rollout.ts';

/** Whether somebody changed `spec.replicas` since the replica sets were sized. Source: isScalingEvent. */
export function isScalingEvent(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return activeSets(sets).some((set) => {
    const desired = numberAnnotation(set, DESIRED_REPLICAS);
    return desired !== undefined && desired !== replicasOf(deployment);
  });
}

/**
 * Sizes for a new `spec.replicas`: all of it to the one set that counts, or, in the middle of a rollout, shared in proportion so that
 * the risk of the rollout stays the same. Source: deployment controller's scale.
 */
export function scaleSets(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): readonly Resize[] {
  const only = activeOrLatest(newSet, oldSets);
  if (only !== undefined) return [{ set: only, replicas: replicasOf(deployment) }];
  if (newSet !== undefined && isSaturated(deployment, newSet)) return activeSets(oldSets).map((set) => ({ set, replicas: 0 }));
  return isRollingUpdate(deployment) ? proportional(deployment, activeSets(newSet === undefined ? oldSets : [...oldSets, newSet])) : [];
}

/** The one set with pods; of none, the newest; undefined when several have pods. */
function activeOrLatest(newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const [first, ...others] = activeSets(newSet === undefined ? oldSets : [...oldSets, newSet]);
  if (first === undefined) return newSet ?? [...oldSets].sort(byCreation).at(-1);
  return others.length === 0 ? first : undefined;
}

/** The new set is as the deployment wants it, and every pod of it is available. */
function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  return replicasOf(set) === wanted && numberAnnotation(set, DESIRED_REPLICAS) === wanted && set.status.availableReplicas === wanted;
}

function proportional(deployment: Deployment, sets: readonly ReplicaSet[]): readonly Resize[] {
  const wanted = replicasOf(deployment);
  const allowed = wanted > 0 ? wanted + boundsOf(deployment).maxSurge : 0;
  const toAdd = allowed - wantedSum(sets);
  // The largest first; of equals the newer when growing, the older when shrinking.
  const ordered = [...sets].sort((a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)));
  let added = 0;
  const sizes = ordered.map((set) => {
    const share = proportionOf(deployment, set, toAdd, added);
    added += share;
    return replicasOf(set) + share;
  });
  // What rounding left over goes to the largest.
  return ordered.map((set, index) => ({ set, replicas: index === 0 ? Math.max(0, (sizes[0] ?? 0) + toAdd - added) : (sizes[index] ?? 0) }));
}

function proportionOf(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (replicasOf(set) === 0 || toAdd === 0 || toAdd === added) return 0;
  const share = fractionOf(deployment, set);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
}

/** How much a set grows when it keeps its part of the whole. The whole as it was stands in an annotation. */
function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const size = replicasOf(set);
  const wanted = replicasOf(deployment);
  if (wanted === 0) return -size;
  const before = numberAnnotation(set, MAX_REPLICAS) || deployment.status.replicas || size;
  return Math.round((size * (wanted + boundsOf(deployment).maxSurge)) / before) - size;
}
