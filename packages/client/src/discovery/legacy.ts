import { apiVersionOf } from '@orrery/apimachinery';
import { type DiscoveredApi, type DiscoveredResource, withPreferred } from './discovered-api.ts';
import type { FetchJson } from './discovery.ts';

/** `GET /apis` of servers without aggregated discovery; the parts that are read. */
export interface GroupList {
  readonly groups: readonly {
    readonly name: string;
    readonly versions: readonly { readonly version: string }[];
    readonly preferredVersion?: { readonly version: string };
  }[];
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly verbs?: readonly string[];
  }[];
}

/** The core group, one request for each version. */
export const legacyCore = (versions: readonly string[], fetchJson: FetchJson, signal: AbortSignal | undefined): Promise<DiscoveredApi> =>
  groupApi('', versions, fetchJson, signal);

/** All other groups, one request for each version. */
export async function legacyGroups({ groups }: GroupList, fetchJson: FetchJson, signal: AbortSignal | undefined): Promise<DiscoveredApi> {
  const apis = await Promise.all(
    groups.map(({ name, versions, preferredVersion }) => {
      const all = versions.map(({ version }) => version);
      const first = preferredVersion === undefined ? [] : [preferredVersion.version];
      return groupApi(name, [...new Set([...first, ...all])], fetchJson, signal);
    }),
  );
  return {
    resources: apis.flatMap(({ resources }) => resources),
    failures: new Map(apis.flatMap(({ failures }) => [...failures])),
  };
}

async function groupApi(
  group: string,
  versions: readonly string[],
  fetchJson: FetchJson,
  signal: AbortSignal | undefined,
): Promise<DiscoveredApi> {
  const failures = new Map<string, Error>();
  const lists = await Promise.all(
    versions.map(async (version) => {
      try {
        const list = (await fetchJson(group === '' ? `/api/${version}` : `/apis/${group}/${version}`, signal)) as ResourceList;
        return { version, resources: resourcesOf(group, version, list) };
      } catch (error) {
        if (signal?.aborted === true) throw error;
        failures.set(apiVersionOf({ group, version }), error instanceof Error ? error : new Error(String(error)));
        return { version, resources: [] };
      }
    }),
  );
  return { resources: withPreferred(lists), failures };
}

const resourcesOf = (group: string, version: string, { resources = [] }: ResourceList): Omit<DiscoveredResource, 'preferred'>[] =>
  resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, namespaced, kind, verbs = [] }) => ({ group, version, resource: name, kind, namespaced, verbs }));
