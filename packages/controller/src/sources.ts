import { type KubeObject, keyOf, type NamespacedName, type Resource } from '@orrery/apimachinery';
import { controllerRef, type Handler, type Informer, type InformerFactory, type InformerOptions } from '@orrery/client';

/** Says which changes matter. Absent methods let everything pass. */
export interface Predicate<T extends KubeObject> {
  onAdd?(object: T): boolean;
  onUpdate?(old: T, object: T): boolean;
  onDelete?(object: T): boolean;
}

/** The keys of the primary objects that a change of `object` concerns. Quick and pure: it runs in the informer's delivery. */
export type MapToKeys<T extends KubeObject> = (object: T) => readonly NamespacedName[];

export interface WatchOptions<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** After an update it is asked about both the old and the new object. */
  readonly mapToKeys: MapToKeys<T>;
  readonly predicate?: Predicate<T> | undefined;
  readonly scope?: InformerOptions<T> | undefined;
}

/** Another resource whose changes wake a controller. Made by {@link watchOf}; its type of object is hidden, so that lists can mix them. */
export interface Watch {
  readonly resource: Resource;
  /** Asks the factory for the informer, and says how to connect it to a queue. */
  connect(factory: InformerFactory): Source;
}

/** An informer that can be connected to a queue. */
export interface Source {
  readonly informer: Pick<Informer<KubeObject>, 'run' | 'waitForSync'>;
  /** Adds keys from now on, first those of everything that is there; ends with `dispose`. */
  start(enqueue: (key: string) => void): Disposable;
}

export function watchOf<T extends KubeObject>(options: WatchOptions<T>): Watch {
  return {
    resource: options.resource,
    connect(factory) {
      const informer = factory.informer(options.resource, options.scope);
      return { informer, start: (enqueue) => informer.addHandler(newMappingHandler(options, enqueue)) };
    },
  };
}

/** Objects that primary objects manage: a change wakes the owner that their controller reference names. */
export function ownedBy<T extends KubeObject>(primary: Resource, resource: Resource<T>, predicate?: Predicate<T>): Watch {
  return watchOf({ resource, predicate, mapToKeys: (object) => ownerKeys(primary, object) });
}

function ownerKeys(primary: Resource, object: KubeObject): readonly NamespacedName[] {
  const owner = controllerRef(object);
  // Any version of the owner's group will do: references keep the version that they were made with.
  if (owner === undefined || owner.kind !== primary.kind || groupOf(owner.apiVersion) !== primary.group) return [];
  return [{ name: owner.name, namespace: primary.namespaced ? object.metadata.namespace : undefined }];
}

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');

function newMappingHandler<T extends KubeObject>({ mapToKeys, predicate }: WatchOptions<T>, enqueue: (key: string) => void): Handler<T> {
  const keysOf = (object: T): readonly string[] =>
    mapToKeys(object).map(({ name, namespace = '' }) => keyOf({ metadata: { name, namespace } }));
  const wake = (keys: Iterable<string>): void => {
    for (const key of keys) enqueue(key);
  };
  return {
    onAdd(object) {
      if (predicate?.onAdd?.(object) !== false) wake(keysOf(object));
    },
    onUpdate(old, object) {
      if (predicate?.onUpdate?.(old, object) !== false) wake(new Set([...keysOf(old), ...keysOf(object)]));
    },
    onDelete(object) {
      if (predicate?.onDelete?.(object) !== false) wake(keysOf(object));
    },
  };
}
