import type { KubeObject } from '@orrery/apimachinery';
import { type CacheWatchOptions, ServedEvent, StorageError, watchCache } from '@orrery/storage';
import type { ApiCall, EncodedEvent } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { newWatchExpired } from '../store/storage-status.ts';
import { checkWatchOptions } from './list-options.ts';
import { badWatchVersion, parseResourceVersion, waitForVersion } from './resource-version.ts';
import { selectionOf } from './selection.ts';
import type { ServerCore } from './server-core.ts';
import { TransientItem } from './transient-item.ts';

/** A watch without `timeoutSeconds` ends after 30 to 60 minutes, so that watchers spread over servers. Source: min-request-timeout. */
const defaultTimeoutSeconds = 1800;
const initialEventsEnd = { 'k8s.io/initial-events-end': 'true' };

/** Watches a collection. Ends without an error at its time limit, and when the consumer is too slow: it asks again from where it was. */
export async function* watch(
  core: ServerCore,
  endpoint: ResourceEndpoint,
  call: ApiCall,
  signal: AbortSignal,
): AsyncGenerator<readonly EncodedEvent[], void, undefined> {
  const options = call.options ?? {};
  checkWatchOptions(options);
  const selection = selectionOf(endpoint, call);
  const text = options.resourceVersion;
  const version = parseResourceVersion(text, badWatchVersion(endpoint, text));
  const from = fromOf(version, options.sendInitialEvents);
  if (typeof from === 'object') await endpoint.storage.cache.ready();
  else await waitForVersion(core, endpoint, text, version);

  const ends = new AbortController();
  const abort = (): void => ends.abort();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const timer = core.clock.after(timeoutMs(core, options.timeoutSeconds), abort, { background: true });
  try {
    const bookmarks = options.allowWatchBookmarks === true;
    const withEnd = bookmarks && options.sendInitialEvents === true;
    for await (const batch of watchCache(
      endpoint.storage.cache,
      { ...selection, from, ...bookmarkMakers(endpoint, bookmarks, withEnd) },
      ends.signal,
    )) {
      yield endpoint.definition.viewOf === undefined ? batch : batch.map((event) => endpoint.showEvent(event));
    }
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'Compacted') throw error;
    throw newWatchExpired(version, core.pool.feed.store.compactedRevision, error);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', abort);
  }
}

/** Source: API concepts, "Semantics for watch". */
function fromOf(version: number, sendInitialEvents: boolean | undefined): CacheWatchOptions['from'] {
  if (sendInitialEvents === true) return 'state';
  if (version > 0) return { after: version };
  return sendInitialEvents === false ? 'now' : 'state';
}

function timeoutMs({ random }: ServerCore, seconds: number | undefined): number {
  const chosen = seconds !== undefined && seconds > 0 ? seconds : defaultTimeoutSeconds * (1 + random.float());
  return chosen * 1000;
}

function bookmarkMakers(endpoint: ResourceEndpoint, periodic: boolean, atEnd: boolean): Pick<CacheWatchOptions, 'bookmark' | 'initialEnd'> {
  return {
    bookmark: periodic ? (revision) => bookmark(endpoint, revision) : undefined,
    initialEnd: atEnd ? (revision) => bookmark(endpoint, revision, initialEventsEnd) : undefined,
  };
}

function bookmark(
  { apiVersion, definition }: ResourceEndpoint,
  revision: number,
  annotations?: Readonly<Record<string, string>>,
): ServedEvent {
  const metadata = { resourceVersion: String(revision), ...(annotations === undefined ? {} : { annotations }) };
  const object = { kind: definition.kind, apiVersion, metadata } as unknown as KubeObject;
  return new ServedEvent('BOOKMARK', new TransientItem(object, revision));
}
