import { schemas } from '@orrery/api';
import {
  apiVersionOf,
  type JsonObject,
  type KubeList,
  type KubeObject,
  newAlreadyExists,
  newConflict,
  newNotFound,
  strategicMergePatch,
  type WatchEvent,
} from '@orrery/apimachinery';
import { type Clock, newQueue, type Queue } from '@orrery/base';
import { type ApiRequest, type Client, newClient, type Transport } from '@orrery/client';

/**
 * A store that speaks the resource API as far as the kubelet's own tests need: it validates nothing and knows no defaults. Behaviour
 * against the real API server is tested where both are composed.
 */
export interface MemoryApi {
  readonly client: Client;
  /** Objects of a resource, as stored. */
  all<T extends KubeObject>(resource: string): readonly T[];
  get<T extends KubeObject>(resource: string, name: string): T | undefined;
  /** Number of requests by `verb resource`. */
  readonly calls: ReadonlyMap<string, number>;
}

interface Watcher {
  readonly request: ApiRequest;
  readonly queue: Queue<readonly WatchEvent<KubeObject>[]>;
}

const kindNames: Readonly<Record<string, string>> = { pods: 'Pod', nodes: 'Node' };
const schemaOf = (resource: string) => schemas.struct(`io.k8s.api.core.v1.${kindNames[resource] ?? 'Pod'}`);

export function newMemoryApi(clock: Clock): MemoryApi {
  const objects = new Map<string, KubeObject>(); // By `resource/namespace/name`.
  const watchers = new Set<Watcher>();
  const calls = new Map<string, number>();
  const history: { readonly key: string; readonly event: WatchEvent<KubeObject> }[] = [];
  let revision = 1;

  const keyOf = (request: ApiRequest, name = request.name): string => `${request.resource}/${request.namespace ?? ''}/${name}`;

  function field(object: KubeObject, path: string): string {
    let at: unknown = object;
    for (const step of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[step];
    return String(at ?? '');
  }

  function selected(request: ApiRequest, key: string, object: KubeObject): boolean {
    if (!key.startsWith(`${request.resource}/`)) return false;
    if (request.namespace !== undefined && object.metadata.namespace !== request.namespace) return false;
    const selector = request.options?.fieldSelector ?? '';
    return selector === '' || selector.split(',').every((term) => field(object, term.split('=')[0] ?? '') === term.split('=').at(-1));
  }

  function tell(key: string, type: WatchEvent<KubeObject>['type'], object: KubeObject): void {
    history.push({ key, event: { type, object } });
    for (const { request, queue } of watchers) if (selected(request, key, object)) queue.push([{ type, object }]);
  }

  function store(request: ApiRequest, key: string, object: KubeObject): KubeObject {
    revision += 1;
    const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
    const stored = {
      ...object,
      apiVersion: apiVersionOf(request),
      metadata: { ...object.metadata, resourceVersion: String(revision) },
    } as KubeObject;
    objects.set(key, stored);
    tell(key, type, stored);
    return stored;
  }

  function remove(key: string, object: KubeObject): KubeObject {
    revision += 1;
    objects.delete(key);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    tell(key, 'DELETED', last);
    return last;
  }

  function create(request: ApiRequest): KubeObject {
    const body = request.body as KubeObject;
    const namespace = body.metadata.namespace ?? request.namespace;
    const scoped = { ...request, namespace };
    const key = keyOf(scoped, body.metadata.name);
    if (objects.has(key)) throw newAlreadyExists(request, body.metadata.name);
    const metadata = {
      ...body.metadata,
      uid: `uid-${revision}`,
      creationTimestamp: new Date(clock.now()).toISOString(),
      generation: 1,
      ...(namespace === undefined ? {} : { namespace }),
    };
    return store(request, key, { ...body, metadata } as KubeObject);
  }

  function erase(request: ApiRequest, key: string, found: KubeObject): KubeObject {
    const { gracePeriodSeconds, preconditions } = request.options ?? {};
    const { name, uid } = found.metadata;
    if (preconditions?.uid !== undefined && preconditions.uid !== uid) throw newConflict(request, name, 'the UID differs');
    if (request.resource !== 'pods' || gracePeriodSeconds === 0) return remove(key, found);
    const grace =
      gracePeriodSeconds ?? (found as { spec?: { terminationGracePeriodSeconds?: number } }).spec?.terminationGracePeriodSeconds ?? 30;
    const deletion = { deletionTimestamp: new Date(clock.now() + grace * 1000).toISOString(), deletionGracePeriodSeconds: grace };
    return store(request, key, { ...found, metadata: { ...found.metadata, ...deletion } } as KubeObject);
  }

  function patch(request: ApiRequest, key: string, found: KubeObject): KubeObject {
    const body = request.body as JsonObject & { readonly metadata?: { readonly uid?: string } };
    if (body.metadata?.uid !== undefined && body.metadata.uid !== found.metadata.uid) {
      throw newConflict(request, found.metadata.name, 'the UID differs');
    }
    const merged = strategicMergePatch(schemaOf(request.resource), found as unknown as JsonObject, body);
    return store(request, key, merged as unknown as KubeObject);
  }

  function one(request: ApiRequest): KubeObject {
    if (request.verb === 'create' && request.resource.endsWith('reviews')) return request.body as KubeObject; // Questions; nobody answers.
    if (request.verb === 'create') return create(request);
    const key = keyOf(request);
    const found = objects.get(key);
    if (found === undefined) throw newNotFound(request, request.name ?? '');
    if (request.verb === 'update') return store(request, key, { ...(request.body as KubeObject) });
    if (request.verb === 'patch') return patch(request, key, found);
    if (request.verb === 'delete') return erase(request, key, found);
    return found;
  }

  function list(request: ApiRequest): KubeList<KubeObject> {
    const items = [...objects].filter(([key, object]) => selected(request, key, object)).map(([, object]) => object);
    return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: String(revision) }, items };
  }

  /** What a watch begins with: everything and a bookmark, or what happened since its revision. */
  function initialEvents(request: ApiRequest): readonly WatchEvent<KubeObject>[] {
    const { sendInitialEvents, resourceVersion = '0' } = request.options ?? {};
    if (sendInitialEvents !== true) {
      return history
        .filter(
          ({ key, event }) =>
            Number(event.object.metadata.resourceVersion) > Number(resourceVersion) && selected(request, key, event.object),
        )
        .map(({ event }) => event);
    }
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    const bookmark = { apiVersion: 'v1', kind: 'Pod', metadata: { resourceVersion: String(revision), annotations } };
    return [
      ...list(request).items.map((object) => ({ type: 'ADDED' as const, object })),
      { type: 'BOOKMARK', object: bookmark as unknown as KubeObject },
    ];
  }

  async function* watch(request: ApiRequest, signal: AbortSignal | undefined) {
    const queue = newQueue<readonly WatchEvent<KubeObject>[]>({ capacity: 100_000 });
    const watcher: Watcher = { request, queue };
    watchers.add(watcher);
    for (const events of initialEvents(request)) queue.push([events]);
    const onAbort = (): void => queue.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      yield* queue;
    } finally {
      watchers.delete(watcher);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  const transport: Transport = {
    async send(request) {
      const name = `${request.verb} ${request.resource}${request.subresource === undefined ? '' : `/${request.subresource}`}`;
      calls.set(name, (calls.get(name) ?? 0) + 1);
      return request.verb === 'list' ? list(request) : one(request);
    },
    watch: (request, signal) => watch(request, signal),
    raw: () => Promise.reject(new Error('not served')),
    close: async () => {},
  };
  return {
    client: newClient(transport),
    calls,
    all: <T extends KubeObject>(resource: string) =>
      [...objects].filter(([key]) => key.startsWith(`${resource}/`)).map(([, object]) => object as T),
    get: <T extends KubeObject>(resource: string, name: string) =>
      [...objects].find(([key]) => key.startsWith(`${resource}/`) && key.endsWith(`/${name}`))?.[1] as T | undefined,
  };
}
