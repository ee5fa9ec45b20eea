import type { ApiVerb, RequestOptions } from '@orrery/client';
import type { ResourceDefinition } from '../definition.ts';
import type { ApiCall, ResourceHandler } from '../handler.ts';
import type { ServerContext } from './context.ts';
import { type BodyOptions, type DecodedBody, readAndDecode } from './decode-body.ts';
import { deleteOptionsOf } from './delete-options.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { patchTypeOf } from './patch-type.ts';
import { optionsOf } from './query-options.ts';
import type { ResourceRequestInfo } from './request-info.ts';
import { methodNotAllowed, pathNotFound } from './status-answer.ts';

/** The definitions by `group/version/resource`, made anew when the handler has new ones. */
const indexes = new WeakMap<readonly ResourceDefinition[], ReadonlyMap<string, ResourceDefinition>>();

export function definitionOf({ definitions }: ResourceHandler, info: ResourceRequestInfo): ResourceDefinition | undefined {
  let index = indexes.get(definitions);
  if (index === undefined) {
    index = new Map(definitions.map((definition) => [`${definition.group}/${definition.version}/${definition.resource}`, definition]));
    indexes.set(definitions, index);
  }
  return index.get(`${info.group}/${info.version}/${info.resource}`);
}

const collectionVerbs = new Set(['list', 'watch', 'create', 'deletecollection']);
const namedVerbs = new Set(['get', 'update', 'patch', 'delete']);

/**
 * The verb of this request on this resource.
 *
 * @throws {StatusError} 404 for a path that does not exist, 405 for a method that the path does not have.
 */
export function routeOf(definition: ResourceDefinition, info: ResourceRequestInfo): ApiVerb {
  const { verb, name, subresource, namespace, parts } = info;
  const itself = info.resource === 'namespaces' && namespace === name; // A namespace has its own name for a namespace.
  if (!definition.namespaced && namespace !== '' && !itself) throw pathNotFound();
  if (parts.length > 3) throw pathNotFound();
  if (verb === '' || verb === 'proxy') throw verb === '' ? methodNotAllowed() : pathNotFound();
  if (definition.namespaced && namespace === '') {
    if (name !== '') throw pathNotFound();
    if (verb === 'create') {
      if (definition.verbs !== undefined && !definition.verbs.includes('list')) throw pathNotFound();
      throw methodNotAllowed();
    }
    if (verb === 'deletecollection') throw methodNotAllowed();
  }
  if (subresource !== '') {
    if (info.watchPrefix) throw pathNotFound();
    return verb as ApiVerb;
  }
  const fits = name === '' ? collectionVerbs : namedVerbs;
  if (verb !== 'watch' && !fits.has(verb)) throw methodNotAllowed();
  if (definition.verbs !== undefined && !definition.verbs.includes(verb)) throw methodNotAllowed();
  return verb as ApiVerb;
}

/** The call that this request makes, its body read and parsed. */
export async function callOf(
  context: ServerContext,
  exchange: Exchange,
  definition: ResourceDefinition,
  info: ResourceRequestInfo,
  verb: ApiVerb,
): Promise<ApiCall> {
  const { request, target, user } = exchange;
  const patchType = verb === 'patch' ? patchTypeOf(headerOf(request, 'content-type')) : undefined;
  let options = optionsOf(verb, target.query, patchType);
  if (verb === 'watch' && info.name !== '') options = withName(options, info.name);
  const body = await bodyOf(context, exchange, { definition, patchType, verb, subresource: info.subresource });
  const deletion = verb === 'delete' || verb === 'deletecollection' ? deleteOptionsOf(body?.value, target.query) : undefined;
  if (deletion !== undefined) options = { ...options, ...deletion.options };
  return {
    verb,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource === '' ? undefined : info.subresource,
    namespace: definition.namespaced && info.namespace !== '' ? info.namespace : undefined,
    name: verb === 'watch' || info.name === '' ? undefined : info.name,
    options,
    patchType,
    user,
    userAgent: managerOf(headerOf(request, 'user-agent')),
    ...(deletion === undefined ? { body: body?.value, duplicates: body?.duplicates } : { body: deletion.body }),
  };
}

/** The deprecated watch of one object. */
function withName(options: RequestOptions, name: string): RequestOptions {
  const own = `metadata.name=${name}`;
  return { ...options, fieldSelector: options.fieldSelector === undefined ? own : `${options.fieldSelector},${own}` };
}

function bodyOf(
  context: ServerContext,
  exchange: Exchange,
  {
    definition,
    patchType,
    verb,
    subresource,
  }: Pick<BodyOptions, 'definition' | 'patchType'> & {
    readonly verb: ApiVerb;
    readonly subresource: string;
  },
): Promise<DecodedBody | undefined> {
  if (verb === 'get' || verb === 'list' || verb === 'watch') return Promise.resolve(undefined);
  const optional = verb === 'delete' || verb === 'deletecollection';
  const whole = !optional && subresource === '';
  const kind = optional ? 'DeleteOptions' : whole ? definition.kind : undefined;
  return readAndDecode(context, exchange, { definition, patchType, kind, optional });
}

/** Longest manager name, in characters. */
const managerCharactersMax = 128;

/** Who an unnamed field manager is: the first word of the User-Agent, printable characters only. Source: upstream's `prefixFromUserAgent`. */
function managerOf(userAgent: string | undefined): string | undefined {
  if (userAgent === undefined) return undefined;
  const first = userAgent.split('/', 1)[0] ?? '';
  const printable = [...first].filter((character) => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character));
  const name = printable.slice(0, managerCharactersMax).join('');
  return name === '' ? undefined : name;
}
