import type { ServerContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { servePath } from './path-endpoint.ts';
import { connectorOf, serveConnect } from './proxy/connect-endpoint.ts';
import { serveResource } from './resource-endpoint.ts';

/** Hands an admitted request to the part of the server that answers it. */
export async function dispatch(context: ServerContext, exchange: Exchange): Promise<void> {
  const { info } = exchange;
  if (info.type === 'path') return servePath(context, exchange);
  const connector = connectorOf(context.connectors, info);
  if (connector !== undefined) return serveConnect(context, exchange, info, connector);
  return serveResource(context, exchange, info);
}
