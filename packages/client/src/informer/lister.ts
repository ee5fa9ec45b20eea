import type { KubeObject, NamespacedName, Selector } from '@orrery/apimachinery';

/**
 * Says under which values of an index an object is found: none, one, or several. Must be pure: it is called again with the same object
 * to take it out of the index.
 */
export type IndexFunction<T extends KubeObject> = (object: T) => string | readonly string[] | undefined;

/** Index functions by name. A name belongs to one function for the life of the informer. */
export type Indexers<T extends KubeObject> = Readonly<Record<string, IndexFunction<T>>>;

/**
 * Reads of a local copy of the server's objects. Never waits and never fails; before the informer has synced it is incomplete.
 *
 * Every object is shared and deeply read-only: never change one. Arrays are snapshots that later events do not change; `list` returns
 * the same array until the next event. Order is not defined.
 */
export interface Lister<T extends KubeObject> {
  /** Objects held now. */
  readonly size: number;
  /** @param key - `namespace/name`, or `name` for cluster-scoped objects (see `keyOf`). */
  get(key: string | NamespacedName): T | undefined;
  list(): readonly T[];
  /** Costs the size of the answer. */
  byNamespace(namespace: string): readonly T[];
  /** Costs the size of the answer. @throws {AssertionError} when the informer has no index of that name. */
  byIndex(name: string, value: string): readonly T[];
  /** Objects whose labels match. Reads every object of `namespace`, or every object at all. */
  select(selector: Selector, namespace?: string): readonly T[];
}

/** Name of the index by `metadata.namespace`, which every informer has. Cluster-scoped objects are not in it. */
export const namespaceIndex = 'namespace';
