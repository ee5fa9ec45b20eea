import type { Deployment, ReplicaSet } from '@orrery/api/apps/v1';
import { availableSum, boundsOf, byCreation, isRollingUpdate, maxUnavailableOf, replicasOf, wantedSum } from './bounds.ts';

/** A replica set and the size that it should get. */
export interface Resize {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

/** How many pods the new replica set may have now. Source: NewRSNewReplicas. @param current - Its size; 0 before it is made. */
export function newSetReplicas(deployment: Deployment, sets: readonly ReplicaSet[], current: number): number {
  const wanted = replicasOf(deployment);
  if (!isRollingUpdate(deployment)) return wanted;
  const room = wanted + boundsOf(deployment).maxSurge - wantedSum(sets);
  return room <= 0 ? current : current + Math.min(room, wanted - current);
}

/** What a rolling update does to the new replica set now; undefined when it is right. */
export function resizeNewSet(deployment: Deployment, sets: readonly ReplicaSet[], newSet: ReplicaSet): Resize | undefined {
  const wanted = replicasOf(deployment);
  const current = replicasOf(newSet);
  if (current === wanted) return undefined;
  const replicas = current > wanted ? wanted : newSetReplicas(deployment, sets, current);
  return replicas === current ? undefined : { set: newSet, replicas };
}

/**
 * What a rolling update takes from old replica sets now: first pods that are not available anyway, then available ones as long as
 * enough stay. Never more than keeps `replicas - maxUnavailable` available. Source: reconcileOldReplicaSets.
 */
export function resizeOldSets(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  oldSets: readonly ReplicaSet[],
  newSet: ReplicaSet,
): readonly Resize[] {
  const minAvailable = replicasOf(deployment) - maxUnavailableOf(deployment);
  const newUnavailable = replicasOf(newSet) - (newSet.status.availableReplicas ?? 0);
  const budget = wantedSum(sets) - minAvailable - newUnavailable;
  if (wantedSum(oldSets) === 0 || budget <= 0) return [];

  const sizes = new Map([...oldSets].sort(byCreation).map((set) => [set, replicasOf(set)]));
  let cleaned = 0;
  for (const [set, size] of sizes) {
    const unhealthy = size - (set.status.availableReplicas ?? 0);
    if (size === 0 || unhealthy <= 0) continue;
    const less = Math.min(budget - cleaned, unhealthy);
    if (less <= 0) break;
    sizes.set(set, size - less);
    cleaned += less;
  }
  let surplus = availableSum(sets) - minAvailable;
  for (const [set, size] of sizes) {
    if (surplus <= 0) break;
    const less = Math.min(size, surplus);
    sizes.set(set, size - less);
    surplus -= less;
  }
  return [...sizes].filter(([set, size]) => size !== replicasOf(set)).map(([set, replicas]) => ({ set, replicas }));
}
