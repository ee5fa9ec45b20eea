import { schemas } from '@orrery/api';
import type { Node, Pod } from '@orrery/api/core/v1';
import {
  apiVersionOf,
  type KubeObject,
  keyOf,
  type NamespacedName,
  newNotFound,
  type Resource,
  StatusError,
  strategicMergePatch,
  type WatchEvent,
} from '@orrery/apimachinery';
import type { Client, Scope } from '@orrery/client';

/** The API as far as a scheduler needs it, in memory and without rules. Test and benchmark code only. */
export interface ScriptedCluster {
  readonly client: Client;
  put(resource: string, object: KubeObject): void;
  remove(resource: string, key: string): void;
  get<T extends KubeObject>(resource: string, key: string): T | undefined;
  list<T extends KubeObject>(resource: string): readonly T[];
  /** Called for each binding before it is done: may throw. */
  onBinding: (pod: string, nodeName: string) => void;
}

interface Table {
  readonly objects: Map<string, KubeObject>;
  readonly watchers: Set<(event: WatchEvent<KubeObject>) => void>;
}

export function newScriptedCluster(): ScriptedCluster {
  const tables = new Map<string, Table>();
  let revision = 1;
  const tableOf = (resource: string): Table => {
    let table = tables.get(resource);
    if (table === undefined) {
      table = { objects: new Map(), watchers: new Set() };
      tables.set(resource, table);
    }
    return table;
  };
  const put = (resource: string, object: KubeObject): KubeObject => {
    const { objects, watchers } = tableOf(resource);
    revision += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    const type = objects.has(keyOf(object)) ? 'MODIFIED' : 'ADDED';
    objects.set(keyOf(object), stored);
    for (const tell of watchers) tell({ type, object: stored });
    return stored;
  };
  const remove = (resource: string, key: string): void => {
    const { objects, watchers } = tableOf(resource);
    const object = objects.get(key);
    if (object === undefined) return;
    revision += 1;
    objects.delete(key);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    for (const tell of watchers) tell({ type: 'DELETED', object: last });
  };
  const get = (resource: Resource, key: string): KubeObject => {
    const object = tableOf(resource.resource).objects.get(key);
    if (object === undefined) throw newNotFound(resource, key);
    return object;
  };

  const cluster: ScriptedCluster = {
    put,
    remove,
    get: <T extends KubeObject>(resource: string, key: string) => tableOf(resource).objects.get(key) as T | undefined,
    list: <T extends KubeObject>(resource: string) => [...tableOf(resource).objects.values()] as unknown as readonly T[],
    onBinding() {},
    client: {
      list: async (resource: Resource) => ({
        apiVersion: apiVersionOf(resource),
        kind: `${resource.kind}List`,
        metadata: { resourceVersion: String(revision) },
        items: [...tableOf(resource.resource).objects.values()],
      }),
      watch: (resource: Resource, options?: Scope) =>
        follow(tableOf(resource.resource), options?.sendInitialEvents === true, () => revision, options?.signal),
      get: async (resource: Resource, key: NamespacedName) => get(resource, keyOf({ metadata: key as { name: string } })),
      create: async (resource: Resource, object: KubeObject) => (resource.resource === 'events' ? object : put(resource.resource, object)),
      async createSubresource(resource: Resource, key: NamespacedName, subresource: string, body: object) {
        if (subresource !== 'binding') throw new StatusError('NotFound', subresource);
        const pod = get(resource, keyOf({ metadata: key as { name: string } })) as unknown as Pod;
        const { name = '' } = (body as { target: { name?: string } }).target;
        cluster.onBinding(keyOf(pod), name);
        if (pod.spec.nodeName)
          throw new StatusError('Conflict', `pod ${pod.metadata.name} is already assigned to node "${pod.spec.nodeName}"`);
        return put('pods', { ...pod, spec: { ...pod.spec, nodeName: name } } as KubeObject);
      },
      async patch(resource: Resource, key: NamespacedName, _type: string, body: object) {
        const old = get(resource, keyOf({ metadata: key as { name: string } }));
        const merged = strategicMergePatch(schemas.struct('io.k8s.api.core.v1.Pod'), old as never, body);
        return put(resource.resource, merged as unknown as KubeObject);
      },
      async delete(resource: Resource, key: NamespacedName) {
        get(resource, keyOf({ metadata: key as { name: string } }));
        remove(resource.resource, keyOf({ metadata: key as { name: string } }));
      },
    } as unknown as Client,
  };
  return cluster;
}

async function* follow(
  { objects, watchers }: Table,
  isInitial: boolean,
  revision: () => number,
  signal: AbortSignal | undefined,
): AsyncIterable<readonly WatchEvent<KubeObject>[]> {
  let events: WatchEvent<KubeObject>[] = [];
  let wake = (): void => undefined;
  const tell = (event: WatchEvent<KubeObject>): void => {
    events.push(event);
    wake();
  };
  const onAbort = (): void => wake();
  watchers.add(tell);
  signal?.addEventListener('abort', onAbort);
  try {
    if (isInitial) {
      const end = { 'k8s.io/initial-events-end': 'true' };
      const bookmark = { apiVersion: 'v1', kind: 'Pod', metadata: { resourceVersion: String(revision()), annotations: end } };
      const initial = [...objects.values()].map((object) => ({ type: 'ADDED' as const, object }));
      yield [...initial, { type: 'BOOKMARK', object: bookmark as unknown as KubeObject }];
    }
    while (signal?.aborted !== true) {
      if (events.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const batch = events;
      events = [];
      yield batch;
    }
  } finally {
    watchers.delete(tell);
    signal?.removeEventListener('abort', onAbort);
  }
}

const created = '2026-01-01T00:00:00Z';

export interface NodeFields {
  readonly labels?: Record<string, string>;
  readonly allocatable?: Record<string, string>;
  readonly spec?: Partial<Node['spec']>;
  readonly status?: Partial<Node['status']>;
}

/** A node with 4 cores, 32 GiB and room for 110 pods unless said otherwise. */
export const testNode = (name: string, { labels = {}, allocatable = {}, spec = {}, status = {} }: NodeFields = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    uid: `node-${name}`,
    resourceVersion: '1',
    creationTimestamp: created,
    labels: { 'kubernetes.io/hostname': name, ...labels },
  },
  spec,
  status: { ...status, allocatable: { cpu: '4', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110', ...allocatable } },
});

export interface PodFields {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly requests?: Record<string, string>;
  readonly nodeName?: string;
  readonly spec?: Partial<Pod['spec']>;
  readonly status?: Partial<Pod['status']>;
  readonly metadata?: Partial<Pod['metadata']>;
}

export const testPod = (name: string, fields: PodFields = {}): Pod => {
  const { namespace = 'default', labels, requests, nodeName, spec = {}, status = {}, metadata = {} } = fields;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: `pod-${namespace}-${name}`,
      resourceVersion: '1',
      creationTimestamp: created,
      ...(labels === undefined ? {} : { labels }),
      ...metadata,
    } as Pod['metadata'],
    spec: {
      schedulerName: 'default-scheduler',
      containers: [{ name: 'c', image: 'image', ...(requests === undefined ? {} : { resources: { requests } }) }],
      ...(nodeName === undefined ? {} : { nodeName }),
      ...spec,
    },
    status: { phase: 'Pending', ...status },
  };
};
