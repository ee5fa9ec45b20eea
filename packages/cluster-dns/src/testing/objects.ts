import { endpointSlices, namespaces, services } from '@orrery/api';
import type { Namespace, Service, ServiceSpec } from '@orrery/api/core/v1';
import type { Endpoint, EndpointPort, EndpointSlice } from '@orrery/api/discovery/v1';
import { type KubeObject, keyOf, type ObjectMeta, type Resource } from '@orrery/apimachinery';
import type { Handler, Informer, InformerFactory } from '@orrery/client';

/** A cluster's state that a test writes; its informers are told at once. */
export interface TestState {
  readonly informers: InformerFactory;
  put(object: KubeObject): void;
  remove(object: KubeObject): void;
  /** Until this is called informers have not synced. */
  sync(): void;
}

const resources: readonly Resource[] = [services, endpointSlices, namespaces];

export function newTestState(): TestState {
  const kinds = new Map(
    resources.map(({ kind }) => [kind, { objects: new Map<string, KubeObject>(), handlers: new Set<Handler<KubeObject>>() }]),
  );
  let synced = false;
  const kindOf = (kind: string) => {
    const found = kinds.get(kind);
    if (found === undefined) throw new Error(`no informer of ${kind}`);
    return found;
  };
  const informerOf = ({ kind }: Resource) => {
    const { objects, handlers } = kindOf(kind);
    const remove = (handler: Handler<KubeObject>) => () => void handlers.delete(handler);
    return {
      lister: { get: (key: string) => objects.get(key) },
      addHandler(handler: Handler<KubeObject>) {
        handlers.add(handler);
        for (const object of objects.values()) handler.onAdd?.(object, true);
        return { hasSynced: () => synced, remove: remove(handler), [Symbol.dispose]: remove(handler) };
      },
      hasSynced: () => synced,
      waitForSync: async () => undefined,
      run: async () => undefined,
    };
  };
  return {
    informers: {
      informer: <T extends KubeObject>(resource: Resource<T>) => informerOf(resource) as unknown as Informer<T>,
      run: async () => undefined,
      waitForSync: async () => undefined,
    },
    put(object) {
      const { objects, handlers } = kindOf(object.kind);
      const old = objects.get(keyOf(object));
      objects.set(keyOf(object), object);
      for (const handler of handlers) {
        if (old === undefined) handler.onAdd?.(object, false);
        else handler.onUpdate?.(old, object);
      }
    },
    remove(object) {
      const { objects, handlers } = kindOf(object.kind);
      objects.delete(keyOf(object));
      for (const handler of handlers) handler.onDelete?.(object, { finalStateUnknown: false });
    },
    sync() {
      synced = true;
    },
  };
}

const meta = (name: string, rest: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...rest,
});

export const namespace = (name: string): Namespace => ({ apiVersion: 'v1', kind: 'Namespace', metadata: meta(name), spec: {}, status: {} });

export const service = (name: string, spec: ServiceSpec, inNamespace = 'default'): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta(name, { namespace: inNamespace }),
  spec,
  status: {},
});

export const slice = (
  of: string,
  endpoints: readonly Endpoint[],
  ports: readonly EndpointPort[] = [],
  addressType = 'IPv4',
): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: meta(`${of}-${addressType.toLowerCase()}`, { namespace: 'default', labels: { 'kubernetes.io/service-name': of } }),
  addressType,
  endpoints,
  ports,
});
