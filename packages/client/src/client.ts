import type { KubeList, KubeObject, NamespacedName, NewObject, Resource, WatchEvent } from '@orrery/apimachinery';
import type { PatchType, RawRequest, RawResponse, RequestOptions, Transport } from './transport.ts';

export interface CallOptions extends RequestOptions {
  readonly signal?: AbortSignal | undefined;
}
export interface Scope extends CallOptions {
  /** Absent: every namespace. */
  readonly namespace?: string | undefined;
}
export interface WriteOptions extends CallOptions {
  /** `status`, `scale`, `binding`, `eviction`, `ephemeralcontainers`, `resize`, `token`, … */
  readonly subresource?: string | undefined;
}

/** The Kubernetes API, typed. The only way in which components meet. Every method rejects with a `StatusError`. */
export interface Client {
  get<T extends KubeObject>(resource: Resource<T>, key: NamespacedName, options?: WriteOptions): Promise<T>;
  list<T extends KubeObject>(resource: Resource<T>, scope?: Scope): Promise<KubeList<T>>;
  /** See {@link Transport.watch}. */
  watch<T extends KubeObject>(resource: Resource<T>, scope?: Scope): AsyncIterable<readonly WatchEvent<T>[]>;
  /** `apiVersion` and `kind` come from `resource` where absent; the namespace from `object.metadata`. */
  create<T extends KubeObject>(resource: Resource<T>, object: NewObject<T>, options?: WriteOptions): Promise<T>;
  /** Posts `body` to a subresource of `key`, as pods/binding, pods/eviction, serviceaccounts/token. */
  createSubresource<R extends KubeObject>(
    resource: Resource,
    key: NamespacedName,
    subresource: string,
    body: object,
    options?: CallOptions,
  ): Promise<R>;
  update<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  updateStatus<T extends KubeObject>(resource: Resource<T>, object: T, options?: CallOptions): Promise<T>;
  patch<T extends KubeObject>(
    resource: Resource<T>,
    key: NamespacedName,
    type: PatchType,
    body: object,
    options?: WriteOptions,
  ): Promise<T>;
  delete(resource: Resource, key: NamespacedName, options?: CallOptions): Promise<void>;
  deleteCollection(resource: Resource, scope?: Scope): Promise<void>;
  raw(request: RawRequest, signal?: AbortSignal): Promise<RawResponse>;
  readonly transport: Transport;
}
