import { newBadRequest, StatusError } from '@orrery/apimachinery';
import type { Client } from '../client.ts';
import { aggregatedApi, type GroupDiscovery } from './aggregated.ts';
import type { DiscoveredApi } from './discovered-api.ts';
import { type GroupList, legacyCore, legacyGroups } from './legacy.ts';

/** Learns what a server serves. */
export interface Discovery {
  /**
   * Asks the server; while nothing has changed there, the answer is the same value as before (`===`), and costs two small requests.
   * Rejects when the server cannot be asked at all; what only concerns some groups is in {@link DiscoveredApi.failures}.
   */
  read(signal?: AbortSignal): Promise<DiscoveredApi>;
}

const ACCEPT = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

/** Fetches JSON, and knows when it has not changed. */
export type FetchJson = (path: string, signal: AbortSignal | undefined) => Promise<unknown>;

export function newDiscovery(client: Pick<Client, 'raw'>): Discovery {
  const kept = new Map<string, { readonly etag: string; readonly value: unknown }>();
  let last: { readonly parts: readonly unknown[]; readonly api: DiscoveredApi } | undefined;

  const fetchJson: FetchJson = async (path, signal) => {
    const before = kept.get(path);
    const headers = { accept: ACCEPT, ...(before === undefined ? {} : { 'if-none-match': before.etag }) };
    const response = await client.raw({ path, headers }, signal);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    if (response.status === 304 && before !== undefined) return before.value;
    const text = Buffer.concat(chunks).toString('utf8');
    if (response.status !== 200) throw new StatusError('InternalError', `GET ${path}: status ${response.status}: ${text.slice(0, 200)}`);
    const value = parse(path, text);
    const { etag } = response.headers;
    if (etag === undefined) kept.delete(path);
    else kept.set(path, { etag, value });
    return value;
  };

  return {
    async read(signal) {
      const parts = await Promise.all(['/api', '/apis'].map((path) => fetchJson(path, signal)));
      if (last !== undefined && parts.every((part, index) => part === last?.parts[index])) return last.api;
      const apis = await Promise.all(parts.map((part) => apiOf(part, fetchJson, signal)));
      const api: DiscoveredApi = {
        resources: apis.flatMap(({ resources }) => resources),
        failures: new Map(apis.flatMap(({ failures }) => [...failures])),
      };
      // An answer of the older form names groups only: what it leaves out may change unseen.
      last = parts.every(isAggregated) ? { parts, api } : undefined;
      return api;
    },
  };
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new StatusError('InternalError', `GET ${path}: the answer is no JSON`, undefined, { cause });
  }
}

const kindOf = (value: unknown): unknown => (value as { readonly kind?: unknown } | null)?.kind;
const isAggregated = (value: unknown): boolean => kindOf(value) === 'APIGroupDiscoveryList';

function apiOf(value: unknown, fetchJson: FetchJson, signal: AbortSignal | undefined): DiscoveredApi | Promise<DiscoveredApi> {
  switch (kindOf(value)) {
    case 'APIGroupDiscoveryList':
      return aggregatedApi((value as { readonly items: readonly GroupDiscovery[] }).items);
    case 'APIVersions':
      return legacyCore((value as { readonly versions: readonly string[] }).versions, fetchJson, signal);
    case 'APIGroupList':
      return legacyGroups(value as GroupList, fetchJson, signal);
    default:
      throw newBadRequest(`the server's discovery has an unknown form: ${String(kindOf(value))}`);
  }
}
