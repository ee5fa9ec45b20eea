import type { Deployment, ReplicaSet } from '@orrery/api/apps/v1';
import { intOrPercent } from '@orrery/apimachinery';

/** How far a rollout may go above and below the wanted number of pods. */
export interface Bounds {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

export const replicasOf = ({ spec }: Deployment | ReplicaSet): number => spec.replicas ?? 1;
export const isRollingUpdate = ({ spec }: Deployment): boolean => spec.strategy?.type !== 'Recreate';

/** Percentages of surge round up, of unavailability down; both nothing would be a standstill, so one may be missing. Source: ResolveFenceposts. */
export function boundsOf(deployment: Deployment): Bounds {
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const replicas = replicasOf(deployment);
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = intOrPercent(maxSurge, replicas, { roundUp: true });
  const unavailable = intOrPercent(maxUnavailable, replicas, { roundUp: false });
  return surge === 0 && unavailable === 0 ? { maxSurge: 0, maxUnavailable: 1 } : { maxSurge: surge, maxUnavailable: unavailable };
}

/** Pods that may be missing now. Source: deploymentutil.MaxUnavailable. */
export function maxUnavailableOf(deployment: Deployment): number {
  const replicas = replicasOf(deployment);
  return isRollingUpdate(deployment) && replicas > 0 ? Math.min(boundsOf(deployment).maxUnavailable, replicas) : 0;
}

export const wantedSum = (sets: readonly ReplicaSet[]): number => sets.reduce((sum, set) => sum + replicasOf(set), 0);
export const availableSum = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, { status }) => sum + (status.availableReplicas ?? 0), 0);
/** Those that still want pods. */
export const activeSets = (sets: readonly ReplicaSet[]): readonly ReplicaSet[] => sets.filter((set) => replicasOf(set) > 0);
export const byCreation = (a: ReplicaSet, b: ReplicaSet): number =>
  a.metadata.creationTimestamp === b.metadata.creationTimestamp
    ? a.metadata.name < b.metadata.name
      ? -1
      : 1
    : a.metadata.creationTimestamp < b.metadata.creationTimestamp
      ? -1
      : 1;
