import type { DeleteOptions } from '@orrery/apimachinery';
import type { ApiRequest, ApiVerb, PatchType, RequestOptions } from '../transport.ts';

/** An HTTP request, ready to be sent and, if need be, sent again. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Several values of one name are sent as several fields. Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array | undefined;
}

const methods: Readonly<Record<ApiVerb, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
};

const patchContentTypes: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml', // JSON is YAML.
};

/** The HTTP form of a call of the resource API. */
export function httpRequestOf(request: ApiRequest): HttpRequest {
  const { verb, body, patchType = 'merge' } = request;
  const content = body ?? (verb === 'delete' || verb === 'deletecollection' ? deleteOptionsOf(request.options) : undefined);
  const contentType = verb === 'patch' ? patchContentTypes[patchType] : 'application/json';
  return {
    method: methods[verb],
    path: pathOf(request) + queryOf(request),
    headers: { accept: 'application/json', ...(content === undefined ? {} : { 'content-type': contentType }) },
    body: content === undefined ? undefined : JSON.stringify(content),
  };
}

function pathOf({ group, version, namespace, resource, name, subresource }: ApiRequest): string {
  let path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  if (namespace !== undefined && namespace !== '') path += `/namespaces/${encodeURIComponent(namespace)}`;
  path += `/${resource}`;
  if (name !== undefined) path += `/${encodeURIComponent(name)}`;
  // A subresource may have a path of its own below it, as `proxy/metrics`: its slashes stay.
  return subresource === undefined || subresource === '' ? path : `${path}/${subresource}`;
}

function queryOf({ verb, options = {} }: ApiRequest): string {
  const query = new URLSearchParams();
  const set = (name: string, value: string | number | boolean | undefined): void => {
    if (value !== undefined && value !== '') query.set(name, String(value));
  };
  if (verb === 'watch') set('watch', true);
  set('labelSelector', options.labelSelector);
  set('fieldSelector', options.fieldSelector);
  set('resourceVersion', options.resourceVersion);
  set('resourceVersionMatch', options.resourceVersionMatch);
  set('limit', options.limit);
  set('continue', options.continue);
  set('allowWatchBookmarks', options.allowWatchBookmarks);
  set('sendInitialEvents', options.sendInitialEvents);
  set('timeoutSeconds', options.timeoutSeconds);
  set('dryRun', options.dryRun === true && verb !== 'delete' && verb !== 'deletecollection' ? 'All' : undefined);
  set('fieldManager', options.fieldManager);
  set('fieldValidation', options.fieldValidation);
  set('force', options.force);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/** The body of a deletion; undefined when the server's defaults are wanted. */
function deleteOptionsOf(options: RequestOptions | undefined): DeleteOptions | undefined {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options ?? {};
  if (gracePeriodSeconds === undefined && propagationPolicy === undefined && preconditions === undefined && dryRun !== true)
    return undefined;
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
  };
}
