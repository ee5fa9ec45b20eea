import { isStatusError, newInternalError, newMethodNotSupported, StatusError } from '@orrery/apimachinery';
import type { ApiVerb } from '@orrery/client';
import type { ApiCall, ApiResult } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { fromStorageError } from '../store/storage-status.ts';
import { answer } from './answer.ts';
import { computed } from './computed.ts';
import { create } from './create.ts';
import { deleteObject } from './delete.ts';
import { deleteCollection } from './delete-collection.ts';
import { deleteOptionsOf } from './delete-options.ts';
import { get } from './get.ts';
import { list } from './list.ts';
import { own } from './own.ts';
import { patch } from './patch.ts';
import { scale } from './scale.ts';
import type { ServerCore } from './server-core.ts';
import { callSubresource, subresourceKey } from './subresource-call.ts';
import { update } from './update.ts';
import { checkWriteOptions } from './write-options.ts';
import { newWriteRequest } from './write-request.ts';

const defaultVerbs: readonly string[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
/** Verbs of `/status` and other parts of an object. */
const partVerbs: readonly string[] = ['get', 'update', 'patch'];

/** The resource that a call names. @throws StatusError NotFound */
export function endpointOf(core: ServerCore, call: ApiCall): ResourceEndpoint {
  const endpoint = core.registry.find(call);
  if (endpoint === undefined) throw newNotServed();
  return endpoint;
}

/** No such path, as opposed to no such object: clients tell one from the other by the missing name. */
function newNotServed(): StatusError {
  return new StatusError('NotFound', 'the server could not find the requested resource', {});
}

/** @throws StatusError MethodNotAllowed */
export function checkVerb({ definition, groupResource }: ResourceEndpoint, verb: ApiVerb): void {
  if (!(definition.verbs ?? defaultVerbs).includes(verb)) throw newMethodNotSupported(groupResource, verb);
}

/** Every verb but watch. Rejects with StatusErrors only. */
export async function dispatch(core: ServerCore, call: ApiCall, signal: AbortSignal): Promise<ApiResult> {
  try {
    const endpoint = endpointOf(core, call);
    const subresource = call.subresource ?? '';
    return await (subresource === '' ? mainResource(core, endpoint, call, signal) : partOf(core, endpoint, call, subresource, signal));
  } catch (error) {
    throw asStatusError(core, call, error);
  }
}

/** The last border: what is no API error by now is a fault of ours, logged here and only here. */
export function asStatusError(core: ServerCore, call: ApiCall, error: unknown): StatusError {
  const known = fromStorageError(error);
  if (isStatusError(known)) return known;
  const { verb, group, version, resource, subresource, namespace, name } = call;
  core.log.error('A request failed unexpectedly.', { verb, group, version, resource, subresource, namespace, name, error });
  return newInternalError(error);
}

function mainResource(core: ServerCore, endpoint: ResourceEndpoint, call: ApiCall, signal: AbortSignal): Promise<ApiResult> {
  checkVerb(endpoint, call.verb);
  if (endpoint.definition.compute !== undefined) return computed(endpoint, call, signal);
  switch (call.verb) {
    case 'get':
      return get(core, endpoint, call);
    case 'list':
      return list(core, endpoint, call);
    case 'create':
      checkWriteOptions(call);
      return (endpoint.definition.answer === undefined ? create : answer)(newWriteRequest(core, endpoint, call), signal);
    case 'update':
      checkWriteOptions(call);
      return update(newWriteRequest(core, endpoint, call));
    case 'patch':
      checkWriteOptions(call);
      return patch(newWriteRequest(core, endpoint, call));
    case 'delete':
      return remove(core, endpoint, call, deleteObject);
    case 'deletecollection':
      return remove(core, endpoint, call, deleteCollection);
    case 'watch':
      throw newMethodNotSupported(endpoint.groupResource, 'watch');
  }
}

function remove(core: ServerCore, endpoint: ResourceEndpoint, call: ApiCall, run: typeof deleteObject): Promise<ApiResult> {
  const options = deleteOptionsOf(call);
  return run({ ...newWriteRequest(core, endpoint, { ...call, options: { ...call.options, dryRun: options.dryRun } }) }, options);
}

function partOf(core: ServerCore, endpoint: ResourceEndpoint, call: ApiCall, subresource: string, signal: AbortSignal): Promise<ApiResult> {
  const { definition, groupResource } = endpoint;
  const handler = own(core.subresources, subresourceKey(endpoint, subresource));
  if (handler?.verbs.includes(call.verb)) return callSubresource(core, endpoint, call, handler, signal);
  const partial = subresource === 'status' ? definition.status : own(definition.partials, subresource);
  const known = partial !== undefined || (subresource === 'scale' && definition.scale !== undefined);
  if (!known && handler === undefined) throw newNotServed();
  if (!known || !(partial?.verbs ?? partVerbs).includes(call.verb)) throw newMethodNotSupported(groupResource, call.verb);
  if (call.verb !== 'get') checkWriteOptions(call);
  if (subresource === 'scale') return scale(core, endpoint, call);
  if (call.verb === 'get') return get(core, endpoint, call);
  const request = newWriteRequest(core, endpoint, call);
  return call.verb === 'patch' ? patch(request) : update(request);
}
