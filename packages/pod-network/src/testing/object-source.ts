import type { KubeList, KubeObject, Resource, WatchEvent } from '@orrery/apimachinery';
import { newQueue, type Queue } from '@orrery/base';
import type { Client } from '@orrery/client';

/** Objects for informers, without a server: what is put shows in lists and in open watches. */
export interface ObjectSource {
  readonly client: Pick<Client, 'list' | 'watch'>;
  put(resource: Resource, object: object): void;
  remove(resource: Resource, name: string, namespace?: string): void;
}

const keyOf = (name: string, namespace = ''): string => `${namespace}/${name}`;

export function newObjectSource(): ObjectSource {
  const held = new Map<string, Map<string, KubeObject>>();
  const watches = new Map<string, Set<Queue<WatchEvent<KubeObject>>>>();
  let revision = 1;

  const ofResource = ({ resource }: Resource): Map<string, KubeObject> => {
    const objects = held.get(resource) ?? new Map<string, KubeObject>();
    held.set(resource, objects);
    return objects;
  };
  const tell = ({ resource }: Resource, event: WatchEvent<KubeObject>): void => {
    for (const queue of watches.get(resource) ?? []) queue.push(event);
  };
  const watch = async function* (resource: Resource, signal: AbortSignal | undefined): AsyncGenerator<readonly WatchEvent<KubeObject>[]> {
    const queue = newQueue<WatchEvent<KubeObject>>({ capacity: 1000 });
    const queues = watches.get(resource.resource) ?? new Set();
    watches.set(resource.resource, queues.add(queue));
    try {
      // As informers ask for it: first what is there, then a mark, then what changes.
      const metadata = { name: '', resourceVersion: `${revision}`, annotations: { 'k8s.io/initial-events-end': 'true' } };
      const there = [...ofResource(resource).values()].map((object) => ({ type: 'ADDED' as const, object }));
      yield [...there, { type: 'BOOKMARK', object: { metadata } as unknown as KubeObject }];
      signal?.addEventListener('abort', () => queue.abort(), { once: true });
      for await (const event of queue) yield [event];
      signal?.throwIfAborted();
    } finally {
      queues.delete(queue);
    }
  };

  return {
    client: {
      list: async <T extends KubeObject>(resource: Resource<T>) =>
        ({ metadata: { resourceVersion: `${revision}` }, items: [...ofResource(resource as Resource).values()] }) as unknown as KubeList<T>,
      watch: <T extends KubeObject>(resource: Resource<T>, scope?: { readonly signal?: AbortSignal | undefined }) =>
        watch(resource as Resource, scope?.signal) as unknown as AsyncIterable<readonly WatchEvent<T>[]>,
    },
    put(resource, given) {
      revision += 1;
      const { metadata } = given as KubeObject;
      const object = { ...given, metadata: { ...metadata, resourceVersion: `${revision}` } } as KubeObject;
      const objects = ofResource(resource);
      const key = keyOf(metadata.name, metadata.namespace);
      const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
      objects.set(key, object);
      tell(resource, { type, object });
    },
    remove(resource, name, namespace) {
      revision += 1;
      const object = ofResource(resource).get(keyOf(name, namespace));
      ofResource(resource).delete(keyOf(name, namespace));
      if (object !== undefined)
        tell(resource, { type: 'DELETED', object: { ...object, metadata: { ...object.metadata, resourceVersion: `${revision}` } } });
    },
  };
}
