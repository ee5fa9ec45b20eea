import type { ReplicaSet } from '@orrery/api/apps/v1';
import type { ReplicationController, Service } from '@orrery/api/core/v1';
import { type ParsedLabelSelector, selectorFromLabelSelector, selectorFromRequirements, selectorFromSet } from '@orrery/apimachinery';
import { controllerRef, type Lister } from '@orrery/client';
import type { PodInfo } from '../cache/pod-info.ts';

interface Listers {
  readonly services: Lister<Service>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly replicationControllers: Lister<ReplicationController>;
}

/** Selects what belongs with a pod: the selectors of its Services and of its owner together. Source: helper.DefaultSelector. */
export function siblingsOf({ pod, namespace, labels }: PodInfo, listers: Listers): ParsedLabelSelector | undefined {
  const wanted = new Map<string, string>();
  for (const { spec } of listers.services.byNamespace(namespace)) {
    const selector = Object.entries(spec?.selector ?? {});
    if (selector.length === 0 || !selector.every(([key, value]) => labels?.[key] === value)) continue;
    for (const [key, value] of selector) wanted.set(key, value);
  }
  const owner = controllerRef(pod);
  let requirements = [...selectorFromSet(Object.fromEntries(wanted)).requirements];
  if (owner?.kind === 'ReplicationController') {
    const { spec } = listers.replicationControllers.get({ namespace, name: owner.name }) ?? {};
    requirements = [...requirements, ...selectorFromSet(spec?.selector).requirements];
  } else if (owner?.kind === 'ReplicaSet' && owner.apiVersion.startsWith('apps/')) {
    const { spec } = listers.replicaSets.get({ namespace, name: owner.name }) ?? {};
    if (spec !== undefined) requirements = [...requirements, ...selectorFromLabelSelector(spec.selector).requirements];
  }
  return requirements.length === 0 ? undefined : selectorFromRequirements(requirements);
}
