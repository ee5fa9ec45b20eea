import type { Deployment, ReplicaSet } from '@orrery/api/apps/v1';
import { boundsOf, replicasOf } from './bounds.ts';

/** Source: deploymentutil. */
export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
export const POD_TEMPLATE_HASH = 'pod-template-hash';

/** Not handed down to replica sets: they have their own, or none. */
const notInherited = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.daemonset.template.generation',
]);
const HISTORY_CHARACTERS_MAX = 2000;

type Annotations = Readonly<Record<string, string>>;

export function numberAnnotation(set: ReplicaSet, name: string): number | undefined {
  const text = set.metadata.annotations?.[name];
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

export const revisionOf = (set: ReplicaSet): number => numberAnnotation(set, REVISION) ?? 0;
export const nextRevision = (oldSets: readonly ReplicaSet[]): number => Math.max(0, ...oldSets.map(revisionOf)) + 1;

/** The deployment's annotations, as its replica sets carry them: `kubectl rollout history` shows the change-cause by them. */
export function inherited(deployment: Deployment): Annotations {
  return Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !notInherited.has(name)));
}

/** What scaling in proportion needs to know later. */
export function sizeAnnotations(deployment: Deployment): Annotations {
  const replicas = replicasOf(deployment);
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + boundsOf(deployment).maxSurge) };
}

/** Annotations of the set that holds the current template; a revision that it had before goes into its history. Source: SetNewReplicaSetAnnotations. */
export function currentSetAnnotations(deployment: Deployment, set: ReplicaSet, revision: number): Annotations {
  const own = set.metadata.annotations ?? {};
  const before = revisionOf(set);
  const merged = { ...own, ...inherited(deployment) };
  if (before >= revision) return merged;
  return {
    ...merged,
    [REVISION]: String(revision),
    ...(before === 0 ? {} : { [REVISION_HISTORY]: appendHistory(own[REVISION_HISTORY], before) }),
  };
}

function appendHistory(history: string | undefined, revision: number): string {
  const entries = history === undefined || history === '' ? [] : history.split(',');
  entries.push(String(revision));
  while (entries.join(',').length > HISTORY_CHARACTERS_MAX) entries.shift();
  return entries.join(',');
}
