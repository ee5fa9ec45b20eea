import type { KubeObject, Resource, WatchEvent } from '@orrery/apimachinery';
import type { Client } from '@orrery/client';

/** Objects of several resources in memory, with lists and watches over them: enough for informers. Test code only. */
export interface ObjectSource {
  readonly client: Pick<Client, 'list' | 'watch'>;
  put(resource: Resource, object: KubeObject): void;
  remove(resource: Resource, name: string): void;
  /** Lists wait until this is false. */
  held: boolean;
}

export function newObjectSource(): ObjectSource {
  const objects = new Map<string, Map<string, KubeObject>>();
  const watchers = new Set<{ readonly resource: string; readonly events: WatchEvent<KubeObject>[]; wake: () => void }>();
  let revision = 1;
  const of = (resource: string): Map<string, KubeObject> => {
    const known = objects.get(resource) ?? new Map<string, KubeObject>();
    objects.set(resource, known);
    return known;
  };
  const tell = (resource: string, event: WatchEvent<KubeObject>): void => {
    for (const watcher of watchers) {
      if (watcher.resource !== resource) continue;
      watcher.events.push(event);
      watcher.wake();
    }
  };
  const stamped = (object: KubeObject): KubeObject => {
    revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  };
  async function* watch(resource: string, signal: AbortSignal | undefined): AsyncIterable<readonly WatchEvent<KubeObject>[]> {
    const initial = [...of(resource).values()].map((object): WatchEvent<KubeObject> => ({ type: 'ADDED', object }));
    const watcher = { resource, events: [...initial, endOfInitial(revision)], wake: () => {} };
    watchers.add(watcher);
    signal?.addEventListener('abort', () => watcher.wake());
    while (signal?.aborted !== true) {
      if (watcher.events.length > 0 && !source.held) yield watcher.events.splice(0);
      else await new Promise<void>((resolve) => (watcher.wake = resolve));
    }
    watchers.delete(watcher);
  }
  const source: ObjectSource & { held: boolean } = {
    held: false,
    client: {
      list: () => Promise.reject(new Error('informers watch')),
      watch: ((resource: Resource, scope?: { readonly signal?: AbortSignal }) =>
        watch(resource.resource, scope?.signal)) as Client['watch'],
    },
    put(resource, object) {
      const known = of(resource.resource);
      const next = stamped(object);
      tell(resource.resource, { type: known.has(object.metadata.name) ? 'MODIFIED' : 'ADDED', object: next });
      known.set(object.metadata.name, next);
    },
    remove(resource, name) {
      const object = of(resource.resource).get(name);
      if (object === undefined) return;
      of(resource.resource).delete(name);
      tell(resource.resource, { type: 'DELETED', object: stamped(object) });
    },
  };
  return source;
}

const endOfInitial = (revision: number): WatchEvent<KubeObject> => ({
  type: 'BOOKMARK',
  object: {
    apiVersion: 'v1',
    kind: 'Bookmark',
    metadata: {
      name: '',
      uid: '',
      creationTimestamp: '',
      resourceVersion: String(revision),
      annotations: { 'k8s.io/initial-events-end': 'true' },
    },
  },
});
