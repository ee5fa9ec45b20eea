import type { KubeList, KubeObject, NamespacedName, NewObject, Resource, WatchEvent } from '@orrery/apimachinery';
import { apiVersionOf, newBadRequest } from '@orrery/apimachinery';
import type { CallOptions, Client, Scope, WriteOptions } from './client.ts';
import type { ApiRequest, ApiVerb, PatchType, RequestOptions, Transport } from './transport.ts';

/**
 * The typed API over `transport`. Holds no state and no connection of its own: closing the transport is the caller's job.
 *
 * A namespaced object without a namespace is refused here with 400, as client-go does: the server has no path for it.
 */
export function newClient(transport: Transport): Client {
  async function sendOne<T extends KubeObject>(request: ApiRequest, signal: AbortSignal | undefined): Promise<T> {
    return (await transport.send(request, signal)) as T;
  }

  return {
    transport,
    get: async <T extends KubeObject>(resource: Resource<T>, key: NamespacedName, options?: WriteOptions) =>
      sendOne<T>(named('get', resource, key, options), options?.signal),

    list: async <T extends KubeObject>(resource: Resource<T>, scope?: Scope) =>
      (await transport.send(scoped('list', resource, scope), scope?.signal)) as KubeList<T>,

    watch: <T extends KubeObject>(resource: Resource<T>, scope?: Scope) =>
      transport.watch(scoped('watch', resource, scope), scope?.signal) as AsyncIterable<readonly WatchEvent<T>[]>,

    create: async <T extends KubeObject>(resource: Resource<T>, object: NewObject<T>, options?: WriteOptions) =>
      sendOne<T>(createRequest(resource, object, options), options?.signal),

    createSubresource: async <R extends KubeObject>(
      resource: Resource,
      key: NamespacedName,
      subresource: string,
      body: object,
      options?: CallOptions,
    ) => sendOne<R>({ ...named('create', resource, key, { ...options, subresource }), body }, options?.signal),

    update: async <T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions) =>
      sendOne<T>({ ...named('update', resource, object.metadata, options), body: typed(resource, object, options) }, options?.signal),

    updateStatus: async <T extends KubeObject>(resource: Resource<T>, object: T, options?: CallOptions) => {
      const request = named('update', resource, object.metadata, { ...options, subresource: 'status' });
      return sendOne<T>({ ...request, body: typed(resource, object, undefined) }, options?.signal);
    },

    patch: async <T extends KubeObject>(
      resource: Resource<T>,
      key: NamespacedName,
      type: PatchType,
      body: object,
      options?: WriteOptions,
    ) => sendOne<T>({ ...named('patch', resource, key, options), body, patchType: type }, options?.signal),

    delete: async (resource: Resource, key: NamespacedName, options?: CallOptions) => {
      await transport.send(named('delete', resource, key, options), options?.signal);
    },

    deleteCollection: async (resource: Resource, scope?: Scope) => {
      await transport.send(scoped('deletecollection', resource, scope), scope?.signal);
    },

    raw: async (request, signal) => transport.raw(request, signal),
  };
}

function scoped(verb: ApiVerb, { group, version, resource, namespaced }: Resource, scope: Scope | undefined): ApiRequest {
  const namespace = namespaced && scope?.namespace !== '' ? scope?.namespace : undefined;
  return { verb, group, version, resource, namespace, options: requestOptions(scope) };
}

function named(verb: ApiVerb, target: Resource, key: NamespacedName, options: WriteOptions | undefined): ApiRequest {
  const { group, version, resource, namespaced } = target;
  if (key.name === '' || key.name === undefined) throw newBadRequest('resource name may not be empty');
  if (namespaced && !key.namespace) throw newBadRequest('an empty namespace may not be set when a resource name is provided');
  return {
    verb,
    group,
    version,
    resource,
    namespace: namespaced ? key.namespace : undefined,
    name: key.name,
    subresource: options?.subresource,
    options: requestOptions(options),
  };
}

function createRequest<T extends KubeObject>(target: Resource<T>, object: NewObject<T>, options: WriteOptions | undefined): ApiRequest {
  const { group, version, resource, namespaced } = target;
  const { namespace, name } = object.metadata;
  if (namespaced && !namespace) throw newBadRequest('an empty namespace may not be set during creation');
  return {
    verb: 'create',
    group,
    version,
    resource,
    namespace: namespaced ? namespace : undefined,
    // A plain create posts to the collection; a subresource is posted to the object that it belongs to.
    name: options?.subresource === undefined ? undefined : name,
    subresource: options?.subresource,
    options: requestOptions(options),
    body: typed(target, object, options),
  };
}

/** The body with `apiVersion` and `kind`. Subresources carry a kind of their own, so there nothing is filled in. */
function typed(resource: Resource, object: { readonly apiVersion?: string; readonly kind?: string }, options?: WriteOptions): object {
  if (object.apiVersion !== undefined && object.kind !== undefined) return object;
  if (options?.subresource !== undefined && options.subresource !== 'status') return object;
  return { ...object, apiVersion: object.apiVersion ?? apiVersionOf(resource), kind: object.kind ?? resource.kind };
}

/** Only the query parameters: what belongs to the call (signal) or the path (namespace, subresource) stays behind. */
function requestOptions(options: (Scope & WriteOptions) | undefined): RequestOptions | undefined {
  if (options === undefined) return undefined;
  const { signal: _signal, namespace: _namespace, subresource: _subresource, ...rest } = options;
  return rest;
}
