import { schemas } from '@orrery/api';
import { type Draft, fieldsOf, isStatusError, type JsonObject, type KubeObject, type StatusError } from '@orrery/apimachinery';
import { newSeededRandom, newVirtualClock, type Random, type VirtualClock } from '@orrery/base';
import type { ApiVerb, PatchType, RequestOptions } from '@orrery/client';
import { newMemoryStore, type Store } from '@orrery/storage';
import { afterEach } from 'vitest';
import type { AdmissionPlugin } from '../admission.ts';
import type { ResourceDefinition } from '../definition.ts';
import type { ApiCall, ApiResult, EncodedEvent } from '../handler.ts';
import { newResourceHandler, type ResourceHandlerOptions, type RunningHandler } from '../resource-handler.ts';

const spec = (object: KubeObject): JsonObject => (fieldsOf(object)['spec'] ?? {}) as JsonObject;
const status = (object: KubeObject): JsonObject => (fieldsOf(object)['status'] ?? {}) as JsonObject;

/** Namespaced, plain. */
export const configMaps: ResourceDefinition = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  singular: 'configmap',
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.ConfigMap',
  strategy: {},
};

/** Cluster-scoped, with a part of its own that may only be changed through `finalize`, and held by `spec.finalizers`. */
export const namespaces: ResourceDefinition = {
  ...configMaps,
  kind: 'Namespace',
  resource: 'namespaces',
  singular: 'namespace',
  namespaced: false,
  typeName: 'io.k8s.api.core.v1.Namespace',
  status: {},
  partials: { finalize: {} },
  strategy: {
    generation: 'none',
    deletionHeldBy: (object) => (((spec(object)['finalizers'] as string[] | undefined) ?? []).length > 0 ? 'being emptied' : undefined),
    prepareForDelete(draft) {
      (draft as unknown as { status: object }).status = { phase: 'Terminating' };
    },
  },
};

/** Namespaced, with status, scale and generation; replicas default to 1. */
export const deployments: ResourceDefinition = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  singular: 'deployment',
  namespaced: true,
  typeName: 'io.k8s.api.apps.v1.Deployment',
  status: {},
  scale: {
    specReplicas: (object) => Number(spec(object)['replicas'] ?? 0),
    statusReplicas: (object) => Number(status(object)['replicas'] ?? 0),
    selector: () => 'app=a',
    withReplicas: (object, replicas) => ({ ...object, spec: { ...spec(object), replicas } }) as KubeObject,
  },
  strategy: {
    defaultPropagation: 'Orphan',
    default(draft) {
      const wanted = (draft as unknown as { spec: { replicas?: number } }).spec;
      wanted.replicas ??= 1;
    },
    validate: (object) => (Number(spec(object)['replicas']) > 100 ? [tooMany(object)] : []),
    validateUpdate: (object) => (Number(spec(object)['replicas']) > 100 ? [tooMany(object)] : []),
    warnings: (object) => (Number(spec(object)['replicas']) === 13 ? ['spec.replicas: 13 brings bad luck'] : []),
  },
};
const tooMany = (object: KubeObject) =>
  ({
    reason: 'FieldValueInvalid',
    field: 'spec.replicas',
    message: `Invalid value: ${spec(object)['replicas']}: must be at most 100`,
  }) as const;

/** Namespaced, with graceful deletion and a selectable field. */
export const pods: ResourceDefinition = {
  ...configMaps,
  kind: 'Pod',
  resource: 'pods',
  singular: 'pod',
  typeName: 'io.k8s.api.core.v1.Pod',
  status: {},
  selectableFields: { 'spec.nodeName': (object) => String(spec(object)['nodeName'] ?? '') },
  strategy: {
    returnsDeletedObject: true,
    gracePeriodSeconds: (_object, requested) => requested ?? 30,
  },
};

/** Disappears after an hour. */
export const events: ResourceDefinition = {
  ...configMaps,
  kind: 'Event',
  resource: 'events',
  singular: 'event',
  typeName: 'io.k8s.api.core.v1.Event',
  ttlSeconds: 3600,
};

/** A view of {@link events}. */
export const eventsView: ResourceDefinition = {
  ...events,
  group: 'events.k8s.io',
  typeName: 'io.k8s.api.events.v1.Event',
  viewOf: {
    of: events,
    fromStored(object) {
      const { message, involvedObject, ...rest } = fieldsOf(object);
      return { ...rest, apiVersion: 'events.k8s.io/v1', note: message, regarding: involvedObject } as unknown as KubeObject;
    },
    toStored(object) {
      const { note, regarding, ...rest } = fieldsOf(object);
      return { ...rest, apiVersion: 'v1', message: note ?? '', involvedObject: regarding ?? {} } as unknown as KubeObject;
    },
  },
};

export interface TestApi {
  readonly handler: RunningHandler;
  readonly store: Store;
  readonly clock: VirtualClock;
  call(verb: ApiVerb, definition: ResourceDefinition, call?: TestCall): Promise<ApiResult>;
  /** The object that the call answers. */
  object(verb: ApiVerb, definition: ResourceDefinition, call?: TestCall): Promise<TestObject>;
  list(definition: ResourceDefinition, options?: RequestOptions, namespace?: string): Promise<ApiResult & { readonly type: 'list' }>;
  /** The error of a call that must fail. */
  error(verb: ApiVerb, definition: ResourceDefinition, call?: TestCall): Promise<StatusError>;
  watch(definition: ResourceDefinition, options?: RequestOptions, namespace?: string): TestWatch;
}

export interface TestCall extends Partial<Omit<ApiCall, 'body' | 'verb' | 'patchType'>> {
  readonly body?: unknown;
  readonly patchType?: PatchType;
}
/** Any object, fields loosely typed: tests name what they expect. */
export type TestObject = KubeObject & { readonly [field: string]: unknown };

export interface TestWatch {
  /** The next event; `undefined` when the watch has ended. */
  next(): Promise<EncodedEvent | undefined>;
  /** As `ADDED a/x@5`. */
  nextText(): Promise<string>;
  stop(): void;
}

const running: TestApi[] = [];
afterEach(async () => {
  for (const { handler, store } of running.splice(0)) {
    handler.close();
    await store.close();
  }
});

export interface TestApiOptions extends Partial<Pick<ResourceHandlerOptions, 'definitions' | 'subresources' | 'log'>> {
  readonly admission?: readonly AdmissionPlugin[];
  readonly store?: (clock: VirtualClock) => Store;
  readonly random?: Random;
}

/** An API over a memory store in virtual time, everything it hands out frozen. Closed after the test. */
export function startApi(options: TestApiOptions = {}): TestApi {
  const clock = newVirtualClock();
  const store = options.store?.(clock) ?? newMemoryStore({ clock });
  const handler = newResourceHandler({
    definitions: [configMaps, namespaces, deployments, pods, events, eventsView],
    random: newSeededRandom(7),
    ...options,
    store,
    schemas,
    clock,
    freeze: true,
  });
  const never = new AbortController().signal;
  const full = (verb: ApiVerb, { group, version, resource, namespaced }: ResourceDefinition, call: TestCall): ApiCall => ({
    verb,
    group,
    version,
    resource,
    ...(namespaced ? { namespace: 'a' } : {}),
    user: { username: 'tester', groups: [] },
    userAgent: 'tester/1',
    ...(call as Partial<ApiCall>),
  });
  const api: TestApi = {
    handler,
    store,
    clock,
    call: (verb, definition, call = {}) => handler.handle(full(verb, definition, call), never),
    async object(verb, definition, call) {
      const result = await api.call(verb, definition, call);
      if (result.type === 'list') throw new Error('a list, not an object');
      return (result.type === 'object' ? result.item.object : result.value) as TestObject;
    },
    async list(definition, listOptions = {}, namespace) {
      const result = await api.call('list', definition, { options: listOptions, namespace });
      if (result.type !== 'list') throw new Error('no list');
      return result;
    },
    async error(verb, definition, call) {
      try {
        await api.call(verb, definition, call);
      } catch (error) {
        if (isStatusError(error)) return error;
        throw error;
      }
      throw new Error(`${verb} must fail`);
    },
    watch: (definition, watchOptions = {}, namespace) =>
      newTestWatch(handler, full('watch', definition, { options: watchOptions, namespace })),
  };
  running.push(api);
  return api;
}

function newTestWatch(handler: RunningHandler, call: ApiCall): TestWatch {
  const abort = new AbortController();
  const batches = handler.watch(call, abort.signal)[Symbol.asyncIterator]();
  let left: EncodedEvent[] = [];
  const next = async (): Promise<EncodedEvent | undefined> => {
    while (left.length === 0) {
      const { value, done } = await batches.next();
      if (done === true) return undefined;
      left = [...value];
    }
    return left.shift();
  };
  return {
    next,
    async nextText() {
      const event = await next();
      return event === undefined ? 'end' : textOf(event);
    },
    stop: () => abort.abort(),
  };
}

/** As `ADDED a/x@5`. */
export function textOf({ type, item }: EncodedEvent): string {
  const { namespace, name, resourceVersion } = item.object.metadata;
  return `${type} ${namespace === undefined ? '' : `${namespace}/`}${name ?? ''}@${resourceVersion}`;
}

export const named = (name: string, more: object = {}): Draft<JsonObject> => ({ metadata: { name }, ...more });

/** A minimal Deployment. */
export const deployment = (name: string, more: object = {}): object => ({
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: 'a' } },
    template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    ...more,
  },
});

/** A minimal Pod. */
export const pod = (name: string, more: object = {}, labels: object = {}): object => ({
  metadata: { name, labels },
  spec: { containers: [{ name: 'c', image: 'i' }], ...more },
});
