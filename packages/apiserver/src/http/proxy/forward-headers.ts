import type { IncomingHttpHeaders } from 'node:http';
import { isImpersonationHeader } from '../../authentication/impersonation.ts';
import { connectionOf, type Exchange, type OutgoingHeaders } from '../exchange.ts';
import type { ConnectTarget } from './connector.ts';

/** Headers of one connection, not of the message. Source: RFC 9110, 7.6.1. */
const hopByHop = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** The client's headers as the target gets them: without its credentials, with who it is and what it asked for. */
export function requestHeaders({ request, target: asked }: Exchange, target: ConnectTarget): OutgoingHeaders {
  const headers = withoutHops(request.headers);
  delete headers['authorization']; // They are for this server.
  for (const name of Object.keys(headers)) if (isImpersonationHeader(name)) delete headers[name];
  delete headers['sec-websocket-protocol']; // May carry a token; tunnels set the rest again.
  const authority = request.headers[':authority'];
  if (headers['host'] === undefined && typeof authority === 'string') headers['host'] = authority;
  const before = headers['x-forwarded-for'];
  const client = connectionOf(request).remoteAddress ?? '';
  headers['x-forwarded-for'] = before === undefined ? client : `${Array.isArray(before) ? before.join(', ') : before}, ${client}`;
  if (target.rewriteBelow !== undefined) headers['x-forwarded-uri'] = asked.rawPath;
  return { ...headers, ...target.headers };
}

/** The target's headers as the client gets them. */
export const responseHeaders = (headers: IncomingHttpHeaders): OutgoingHeaders => withoutHops(headers);

function withoutHops(headers: IncomingHttpHeaders): OutgoingHeaders {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const kept: OutgoingHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || hopByHop.has(name) || named.has(name)) continue;
    kept[name] = value;
  }
  return kept;
}
