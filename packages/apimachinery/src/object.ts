import type { ListMeta, ObjectMeta } from './generated/meta-v1.ts';
import type { Json } from './json.ts';

/** What every stored object has. Objects are immutable values: never change one that a client, lister or cache gave you. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface KubeList<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ListMeta;
  readonly items: readonly T[];
}

/** An object as a client sends it to be created: the server fills in the rest. */
export type NewObject<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'status' | 'spec'> & {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Partial<ObjectMeta>;
  readonly status?: unknown;
} & (T extends { readonly spec: infer S } ? { readonly spec: S } : unknown);

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

export interface WatchEvent<T extends KubeObject> {
  readonly type: WatchEventType;
  readonly object: T;
}

export interface GroupVersionKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** A resource and, for the compiler, the type of its objects. `T` is phantom: no value carries it. */
export interface Resource<T extends KubeObject = KubeObject> extends GroupVersionKind, GroupResource {
  readonly namespaced: boolean;
  readonly objectType?: T;
}

export interface NamespacedName {
  /** Empty or absent for cluster-scoped objects. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `deployments.apps`, or `pods` for the core group: how messages name a resource. */
export function qualifiedResource({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** Workqueue key: `namespace/name`, or `name`. */
export function keyOf(object: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** Inverse of {@link keyOf}. */
export function splitKey(key: string): NamespacedName {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The one untyped door into an object's fields, for machinery that knows no kind. */
export function fieldsOf(object: object): { readonly [field: string]: Json | undefined } {
  return object as { readonly [field: string]: Json | undefined };
}
