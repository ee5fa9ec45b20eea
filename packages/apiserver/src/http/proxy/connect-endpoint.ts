import type { ServerContext } from '../context.ts';
import { type Exchange, headerOf } from '../exchange.ts';
import type { ResourceRequestInfo } from '../request-info.ts';
import { methodNotAllowed } from '../status-answer.ts';
import type { Connector } from './connector.ts';
import { forward } from './forward.ts';
import { tunnel } from './tunnel.ts';

/** The connector that serves this request; undefined when it is none of theirs. */
export function connectorOf(connectors: readonly Connector[], info: ResourceRequestInfo): Connector | undefined {
  if (info.subresource === '' || info.watchPrefix) return undefined;
  return connectors.find(
    ({ group, version, resource, subresource }) =>
      group === info.group && version === info.version && resource === info.resource && subresource === info.subresource,
  );
}

/** Connects a request to what runs in the cluster. */
export async function serveConnect(
  context: ServerContext,
  exchange: Exchange,
  info: ResourceRequestInfo,
  connector: Connector,
): Promise<void> {
  const { method, target: asked, user, signal } = exchange;
  if (!connector.methods.includes(method)) throw methodNotAllowed();
  const upgrade = exchange.upgrade !== undefined && isUpgrade(exchange);
  const path = restOf(asked, info);
  const request = {
    user,
    method,
    namespace: info.namespace === '' ? undefined : info.namespace,
    name: info.name,
    path,
    query: asked.query,
    rawQuery: asked.rawQuery,
    upgrade,
  };
  const target = await connector.connect(request, signal);
  if (upgrade) return tunnel(exchange, target, context.clock);
  if (target.path === '' && (method === 'GET' || method === 'HEAD')) return redirectToSlash(exchange);
  return forward(exchange, info, target.path === '' ? { ...target, path: '/' } : target, context.agents);
}

const isUpgrade = ({ request }: Exchange): boolean => /\bupgrade\b/i.test(headerOf(request, 'connection') ?? '');

/** What follows the subresource in the path as it came. An escaped slash separates steps too: routes see the path unescaped. */
function restOf({ rawPath, path }: Exchange['target'], { parts }: ResourceRequestInfo): string {
  let before = stepsOf(path) - (parts.length - 3);
  const separator = /\/|%2f/gi;
  separator.lastIndex = rawPath.search(/[^/]/);
  for (let match = separator.exec(rawPath); match !== null; match = separator.exec(rawPath)) {
    before--;
    if (before === 0) return rawPath.slice(match.index);
  }
  return '';
}

const stepsOf = (path: string): number => path.replace(/^\/+/, '').replace(/\/+$/, '').split('/').length;

/** A page without its slash would resolve relative links one level too high. */
function redirectToSlash({ response, target, headers }: Exchange): void {
  const query = target.rawQuery === '' ? '' : `?${target.rawQuery}`;
  response.writeHead(301, { ...headers, Location: `${target.rawPath}/${query}`, 'Content-Length': 0 });
  response.end();
}
