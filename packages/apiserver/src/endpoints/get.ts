import { newNotFound } from '@orrery/apimachinery';
import type { ApiCall, ApiResult, Encoded } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { badListVersion, parseResourceVersion, waitForVersion } from './resource-version.ts';
import type { ServerCore } from './server-core.ts';

/** GET of one object; `/status` and partial subresources show the whole object. */
export async function get(core: ServerCore, endpoint: ResourceEndpoint, call: ApiCall): Promise<ApiResult> {
  return { type: 'object', code: 200, item: await read(core, endpoint, call), warnings: [] };
}

/** @throws StatusError NotFound */
export async function read(core: ServerCore, endpoint: ResourceEndpoint, call: ApiCall): Promise<Encoded> {
  const { namespace, name = '', options } = call;
  const text = options?.resourceVersion;
  const version = parseResourceVersion(text, badListVersion(text));
  await waitForVersion(core, endpoint, text, version);
  const { storage, definition } = endpoint;
  const entry = storage.cache.get(storage.keyOf(definition.namespaced ? namespace : undefined, name));
  if (entry === undefined) throw newNotFound(endpoint.groupResource, name);
  return endpoint.show(entry);
}
