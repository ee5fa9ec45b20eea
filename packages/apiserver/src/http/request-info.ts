import { newBadRequest } from '@orrery/apimachinery';
import { booleanOf } from './query-values.ts';

/** What a request is about, from its method, path and query alone. Source: the API concept "request attributes". */
export type RequestInfo = ResourceRequestInfo | PathRequestInfo;

export interface PathRequestInfo {
  readonly type: 'path';
  /** The lower-case HTTP method. */
  readonly verb: string;
  readonly path: string;
}

export interface ResourceRequestInfo {
  readonly type: 'resource';
  /** get, list, watch, create, update, patch, delete, deletecollection, proxy (the deprecated prefix), or empty for another method. */
  readonly verb: string;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  /** Empty for none. A namespace itself has its own name here. */
  readonly namespace: string;
  readonly resource: string;
  /** Empty for none. */
  readonly subresource: string;
  /** Empty for collections. */
  readonly name: string;
  /** `resource/name/subresource/and/what/follows`. */
  readonly parts: readonly string[];
  /** The request came by the deprecated `/watch/` prefix. */
  readonly watchPrefix: boolean;
  /** The one name a collection request is limited to by `fieldSelector=metadata.name=…`: rules see it as the name. Empty for none. */
  readonly selectedName: string;
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** A third path step that belongs to the namespace itself, where any other is a resource inside it. */
const namespaceSubresources = new Set(['status', 'finalize']);

/** @param path - Percent-decoded. @throws {StatusError} 400 for a `/watch` prefix that leads nowhere. */
export function requestInfoOf(method: string, path: string, query: URLSearchParams): RequestInfo {
  const plain: PathRequestInfo = { type: 'path', verb: method.toLowerCase(), path };
  let parts = splitPath(path);
  const [prefix] = parts;
  if (parts.length < 3 || (prefix !== 'api' && prefix !== 'apis')) return plain;
  let group = '';
  if (prefix === 'apis') {
    if (parts.length < 4) return plain;
    group = parts[1] ?? '';
    parts = parts.slice(1);
  }
  const version = parts[1] ?? '';
  parts = parts.slice(2);
  let verb = verbs[method] ?? '';
  const special = parts[0] === 'proxy' || parts[0] === 'watch' ? parts[0] : undefined;
  if (special !== undefined) {
    if (parts.length < 2) throw newBadRequest(`unable to determine kind and namespace from url, ${path}`);
    verb = special;
    parts = parts.slice(1);
  }
  let namespace = '';
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1] ?? '';
    if (parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '')) parts = parts.slice(2);
  }
  const [resource = '', name = '', subresource = ''] = parts;
  if (name === '' && verb === 'get') verb = booleanOf(query.get('watch')) ? 'watch' : 'list';
  if (name === '' && verb === 'delete') verb = 'deletecollection';
  return {
    type: 'resource',
    verb,
    path,
    group,
    version,
    namespace,
    resource,
    subresource: verb === 'proxy' ? '' : subresource,
    name,
    parts,
    watchPrefix: special === 'watch',
    selectedName: name === '' ? selectedNameOf(query.get('fieldSelector')) : '',
  };
}

function splitPath(path: string): string[] {
  const trimmed = path.replace(/^\/+/, '').replace(/\/+$/, '');
  return trimmed === '' ? [] : trimmed.split('/');
}

function selectedNameOf(fieldSelector: string | null): string {
  if (fieldSelector === null) return '';
  for (const term of fieldSelector.split(',')) {
    const match = /^metadata\.name={1,2}([^=!,\\]+)$/.exec(term.trim());
    const name = match?.[1] ?? '';
    if (name !== '' && name !== '.' && name !== '..' && !/[/%]/.test(name)) return name;
  }
  return '';
}

const longRunningSubresources = new Set(['attach', 'exec', 'proxy', 'log', 'portforward']);

/** Requests without a deadline: watches, logs, and everything that connects to a container. */
export function isLongRunning(info: RequestInfo): boolean {
  if (info.type === 'path') return false;
  return info.verb === 'watch' || info.verb === 'proxy' || longRunningSubresources.has(info.subresource);
}
