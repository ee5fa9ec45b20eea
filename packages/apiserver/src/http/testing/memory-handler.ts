import { type KubeObject, newAlreadyExists, newNotFound, StatusError, type WatchEventType } from '@orrery/apimachinery';
import type { ResourceDefinition } from '../../definition.ts';
import type { ApiCall, ApiResult, Encoded, EncodedEvent, ResourceHandler } from '../../handler.ts';

const definition = (over: Partial<ResourceDefinition>): ResourceDefinition => ({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  singular: 'configmap',
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.ConfigMap',
  strategy: {},
  ...over,
});

export const configMaps = definition({});
export const namespaces = definition({
  kind: 'Namespace',
  resource: 'namespaces',
  singular: 'namespace',
  namespaced: false,
  typeName: 'io.k8s.api.core.v1.Namespace',
});
export const pods = definition({
  kind: 'Pod',
  resource: 'pods',
  singular: 'pod',
  typeName: 'io.k8s.api.core.v1.Pod',
  columns: [
    { name: 'Name', format: 'name', cell: ({ metadata }) => metadata.name },
    { name: 'Ready', cell: () => '1/1' },
    { name: 'Secret', priority: 1, cell: (_object, nowMs) => nowMs },
  ],
});

const endpoints = definition({
  kind: 'Endpoints',
  resource: 'endpoints',
  singular: 'endpoints',
  typeName: 'io.k8s.api.core.v1.Endpoints',
  deprecation: { since: '1.33', replacement: 'discovery.k8s.io/v1 EndpointSlice' },
});

export interface MemoryHandler extends ResourceHandler {
  /** Calls as they came. */
  readonly calls: ApiCall[];
  /** Replaces the answer of the next call. */
  next: ((call: ApiCall, signal: AbortSignal) => Promise<ApiResult>) | undefined;
  /** Sends one event to the open watches. */
  emit(...events: readonly { readonly type: WatchEventType; readonly object: KubeObject }[]): void;
  /** Ends the open watches with an error. */
  breakWatches(error: Error): void;
  readonly watches: number;
}

/** Objects in a map: enough of a core to show what the HTTP face does with it. */
export function newMemoryHandler(): MemoryHandler {
  const objects = new Map<string, Encoded>();
  let revision = 1;
  const listeners = new Set<{ push(batch: readonly EncodedEvent[]): void; fail(error: Error): void }>();
  const encode = (object: KubeObject): Encoded => ({ object, revision, json: Buffer.from(JSON.stringify(object)) });
  const keyOf = (call: ApiCall, name: string): string => [call.resource, call.namespace ?? '', name].join('/');
  const find = (call: ApiCall): Encoded => {
    const item = objects.get(keyOf(call, call.name ?? ''));
    if (item === undefined) throw newNotFound(call, call.name ?? '');
    return item;
  };
  const put = (call: ApiCall, code: 200 | 201): ApiResult => {
    const body = call.body as unknown as KubeObject;
    const key = keyOf(call, body.metadata.name);
    if (code === 201 && objects.has(key)) throw newAlreadyExists(call, body.metadata.name);
    revision++;
    const item = encode({ ...body, metadata: { ...body.metadata, resourceVersion: String(revision) } });
    objects.set(key, item);
    return { type: 'object', code, item, warnings: [] };
  };
  const answer = (call: ApiCall): ApiResult => {
    switch (call.verb) {
      case 'create':
        return put(call, 201);
      case 'update':
      case 'patch':
        return put(call, 200);
      case 'get':
        return { type: 'object', code: 200, item: find(call), warnings: [] };
      case 'list': {
        const prefix = call.namespace === undefined ? `${call.resource}/` : `${call.resource}/${call.namespace}/`;
        const items = [...objects].filter(([key]) => key.startsWith(prefix)).map(([, item]) => item);
        const { kind } = handler.definitions.find(({ resource }) => resource === call.resource) ?? configMaps;
        return { type: 'list', listKind: `${kind}List`, apiVersion: 'v1', metadata: { resourceVersion: String(revision) }, items };
      }
      default:
        find(call);
        objects.delete(keyOf(call, call.name ?? ''));
        return {
          type: 'value',
          code: 200,
          value: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' },
          warnings: ['gone'],
        };
    }
  };
  const handler: MemoryHandler = {
    definitions: [configMaps, namespaces, pods, endpoints],
    calls: [],
    next: undefined,
    get watches() {
      return listeners.size;
    },
    async handle(call, signal) {
      handler.calls.push(call);
      const { next } = handler;
      handler.next = undefined;
      return next === undefined ? answer(call) : next(call, signal);
    },
    async *watch(call, signal) {
      handler.calls.push(call);
      if (call.options?.resourceVersion === 'x') throw new StatusError('BadRequest', 'invalid resource version');
      if (call.options?.resourceVersion === '1') throw new StatusError('Expired', 'too old resource version: 1 (5)');
      const queue: (readonly EncodedEvent[] | Error)[] = [];
      let wake: (() => void) | undefined;
      const push = (entry: readonly EncodedEvent[] | Error): void => {
        queue.push(entry);
        wake?.();
      };
      const listener = { push, fail: push };
      listeners.add(listener);
      try {
        for (;;) {
          signal.throwIfAborted();
          const entry = queue.shift();
          if (entry instanceof Error) throw entry;
          if (entry !== undefined) yield entry;
          else {
            await new Promise<void>((resolve) => {
              wake = resolve;
              signal.addEventListener('abort', () => resolve(), { once: true });
            });
          }
        }
      } finally {
        listeners.delete(listener);
      }
    },
    emit(...events) {
      const batch = events.map(({ type, object }) => ({ type, item: encode(object) }));
      for (const { push } of listeners) push(batch);
    },
    breakWatches(error) {
      for (const { fail } of listeners) fail(error);
    },
  };
  return handler;
}
