import { apiVersionOf, type GroupVersionKind } from '@orrery/apimachinery';
import { type DiscoveredApi, withPreferred } from './discovered-api.ts';

/** One group of an `APIGroupDiscoveryList`; the parts that are read. */
export interface GroupDiscovery {
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly {
    readonly version: string;
    readonly freshness?: string;
    readonly resources?: readonly {
      readonly resource: string;
      readonly responseKind?: Partial<GroupVersionKind>;
      readonly scope: string;
      readonly verbs?: readonly string[];
    }[];
  }[];
}

/** @param groups - `items` of both lists, `/api` and `/apis`. */
export function aggregatedApi(groups: readonly GroupDiscovery[]): DiscoveredApi {
  const failures = new Map<string, Error>();
  const resources = groups.flatMap(({ metadata, versions = [] }) => {
    const group = metadata?.name ?? '';
    const fresh = versions.filter(({ version, freshness }) => {
      const stale = freshness === 'Stale';
      if (stale)
        failures.set(apiVersionOf({ group, version }), new Error(`stale GroupVersion discovery: ${apiVersionOf({ group, version })}`));
      return !stale;
    });
    return withPreferred(
      fresh.map(({ version, resources: entries = [] }) => ({
        version,
        // Without a kind it is a placeholder whose subresources alone are served.
        resources: entries.flatMap(({ resource, responseKind, scope, verbs = [] }) => {
          const kind = responseKind?.kind ?? '';
          return kind === '' ? [] : [{ group, version, resource, kind, namespaced: scope === 'Namespaced', verbs }];
        }),
      })),
    );
  });
  return { resources, failures };
}
