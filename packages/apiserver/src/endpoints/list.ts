import type { ListMeta } from '@orrery/apimachinery';
import { type CachedEntry, prefixEnd, StorageError } from '@orrery/storage';
import type { ApiCall, ApiResult } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { newContinueExpired, newListExpired, newTooLargeResourceVersion } from '../store/storage-status.ts';
import { type ContinuePoint, decodeContinue, encodeContinue } from './continue-token.ts';
import { checkListOptions } from './list-options.ts';
import { badListVersion, parseResourceVersion, waitForVersion } from './resource-version.ts';
import { type Selection, selectionOf } from './selection.ts';
import type { ServerCore } from './server-core.ts';

/** What a list reads: a snapshot at one version, from a key on. */
interface Snapshot {
  /** In key order, `start` and later; not yet selected. */
  readonly entries: readonly CachedEntry[];
  readonly revision: number;
  /** Whether all of it lies in the selection's namespace and `entries` is complete: then what remains can be counted. */
  readonly complete: boolean;
}

/** GET of a collection. */
export async function list(core: ServerCore, endpoint: ResourceEndpoint, call: ApiCall): Promise<ApiResult & { readonly type: 'list' }> {
  const options = call.options ?? {};
  checkListOptions(options);
  const selection = selectionOf(endpoint, call);
  const prefix = endpoint.storage.keyOf(selection.namespace, '');
  const limit = options.limit ?? 0;
  const token = options.continue ?? '';
  const point = token === '' ? undefined : decodeContinue(token);
  const snapshot =
    point === undefined ? await firstPage(core, endpoint, call, selection) : await nextPage(endpoint, selection, prefix, point);
  return page(endpoint, selection, snapshot, limit, prefix);
}

async function firstPage(core: ServerCore, endpoint: ResourceEndpoint, call: ApiCall, selection: Selection): Promise<Snapshot> {
  const { resourceVersion: text, resourceVersionMatch, limit = 0 } = call.options ?? {};
  const version = parseResourceVersion(text, badListVersion(text));
  // A limit with a version and no match means that very version. Source: API concepts, "resourceVersion in lists".
  const exact = version > 0 && (resourceVersionMatch === 'Exact' || (resourceVersionMatch === undefined && limit > 0));
  if (exact) return atRevision(endpoint, selection, endpoint.storage.keyOf(selection.namespace, ''), undefined, version);
  await waitForVersion(core, endpoint, text, version);
  return fromCache(endpoint, selection, undefined);
}

async function nextPage(endpoint: ResourceEndpoint, selection: Selection, prefix: string, point: ContinuePoint): Promise<Snapshot> {
  const start = prefix + point.start.replace(/^\//, '');
  await endpoint.storage.fresh();
  if (point.revision === -1) return fromCache(endpoint, selection, start);
  try {
    return await atRevision(endpoint, selection, prefix, start, point.revision);
  } catch (error) {
    if (!isExpired(error)) throw error;
    throw newContinueExpired(encodeContinue({ revision: -1, start: point.start }), error);
  }
}

const isExpired = (error: unknown): boolean => error instanceof Error && 'reason' in error && error.reason === 'Expired';

function fromCache({ storage }: ResourceEndpoint, { namespace, name, trigger }: Selection, start: string | undefined): Snapshot {
  const { cache } = storage;
  const { revision } = cache.feed;
  const narrowed = trigger === undefined || trigger.index === 'metadata.namespace' ? undefined : narrow();
  const entries = narrowed ?? cache.entries(namespace);
  return { entries: start === undefined ? entries : entries.slice(firstAt(entries, start)), revision, complete: narrowed === undefined };

  function narrow(): readonly CachedEntry[] | undefined {
    if (name === undefined || (namespace === undefined && storage.cache.namespaced)) return trigger && cache.byIndex(trigger);
    const found = cache.get(storage.keyOf(namespace, name));
    return found === undefined ? [] : [found];
  }
}

/** At a version of the past: from the cache while nothing of the resource has changed since, else from the store's history. */
async function atRevision(
  endpoint: ResourceEndpoint,
  selection: Selection,
  prefix: string,
  start: string | undefined,
  revision: number,
): Promise<Snapshot> {
  const { cache } = endpoint.storage;
  const ready = cache.ready();
  if (ready !== undefined) await ready;
  const { store } = cache.feed;
  if (cache.changedAt <= revision && revision <= cache.feed.revision && revision > store.compactedRevision) {
    return { ...fromCache(endpoint, selection, start), revision };
  }
  try {
    const { entries } = await store.range({ start: start ?? prefix, end: prefixEnd(prefix), revision });
    return { entries: entries.map((entry) => cache.entryOf(entry)), revision, complete: true };
  } catch (error) {
    if (error instanceof StorageError && error.code === 'Compacted') throw newListExpired(error);
    if (error instanceof StorageError && error.code === 'FutureRevision') throw newTooLargeResourceVersion(revision, store.revision);
    throw error;
  }
}

function firstAt(entries: readonly CachedEntry[], start: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && entry.key < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

function page(
  endpoint: ResourceEndpoint,
  { matches, selective }: Selection,
  { entries, revision, complete }: Snapshot,
  limit: number,
  prefix: string,
): ApiResult & { readonly type: 'list' } {
  const bound = limit > 0 ? limit : Number.POSITIVE_INFINITY;
  const chosen: CachedEntry[] = [];
  let at = 0;
  for (; at < entries.length; at++) {
    const entry = entries[at];
    if (entry === undefined || (matches !== undefined && !matches(entry))) continue;
    if (chosen.length === bound) break;
    chosen.push(entry);
  }
  const metadata = {
    resourceVersion: String(revision),
    ...more(chosen.at(-1), entries.length - at, complete && !selective, revision, prefix),
  };
  const { kind } = endpoint.definition;
  const items = endpoint.definition.viewOf === undefined ? chosen : chosen.map((entry) => endpoint.show(entry));
  return { type: 'list', listKind: `${kind}List`, apiVersion: endpoint.apiVersion, metadata, items };
}

function more(last: CachedEntry | undefined, left: number, countable: boolean, revision: number, prefix: string): ListMeta {
  if (last === undefined || left <= 0) return {};
  const token = encodeContinue({ revision, start: `${last.key.slice(prefix.length)}\u0000` });
  return { continue: token, ...(countable ? { remainingItemCount: left } : {}) };
}
