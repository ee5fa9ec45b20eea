import type { GroupEntry, ResourceEntry } from './catalog.ts';

export type AggregatedVersion = 'v2' | 'v2beta1';

/** The whole of discovery in one object. @param catalog - The core group for `/api`, all others for `/apis`. */
export function apiGroupDiscoveryList(catalog: readonly GroupEntry[], version: AggregatedVersion): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: catalog.map(({ group, versions }) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map((entry) => ({
        version: entry.version,
        resources: entry.resources.map(resourceDiscovery),
        freshness: 'Current',
      })),
    })),
  };
}

function resourceDiscovery({ definition, verbs, subresources }: ResourceEntry): object {
  const { group, version, kind, resource, singular, namespaced, shortNames, categories } = definition;
  return {
    resource,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames === undefined || shortNames.length === 0 ? {} : { shortNames }),
    ...(categories === undefined || categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0
      ? {}
      : { subresources: subresources.map((entry) => ({ subresource: entry.name, responseKind: entry.kind, verbs: entry.verbs })) }),
  };
}
