import { runHealthChecks } from '@orrery/component';
import type { ServerContext } from './context.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { negotiate } from './negotiation.ts';
import { send } from './send.ts';
import { methodNotAllowed, pathNotFound } from './status-answer.ts';

const healthPath = /^\/(healthz|livez|readyz)(?:\/(.+?))?\/?$/;

/** Serves what is no resource: health, version, metrics, discovery, OpenAPI, the list of paths. */
export async function servePath(context: ServerContext, exchange: Exchange): Promise<void> {
  const { path } = exchange.target;
  const health = healthPath.exec(path);
  const trimmed = path.length > 1 ? path.replace(/\/+$/, '') : path;
  const offer = context.documents.map((endpoint) => ({ endpoint, offer: endpoint.offerAt(trimmed) })).find((found) => found.offer);
  const known = health !== null || offer !== undefined || trimmed in fixed;
  if (!known) throw pathNotFound();
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed();
  if (health !== null) return serveHealth(context, exchange, health[1] ?? '', health[2]);
  const serveFixed = fixed[trimmed];
  if (serveFixed !== undefined) return serveFixed(context, exchange);
  if (offer?.offer === undefined) throw pathNotFound();
  const accepted = negotiate(headerOf(exchange.request, 'accept'), offer.offer);
  const document = await offer.endpoint.document(trimmed, accepted, exchange.target.query);
  await sendDocument(context, exchange, document);
}

async function sendDocument(
  context: ServerContext,
  exchange: Exchange,
  { contentType, body, etag, immutable }: Awaited<ReturnType<ServerContext['documents'][number]['document']>>,
): Promise<void> {
  const { headers, request, response } = exchange;
  if (etag !== undefined) {
    headers['ETag'] = `"${etag}"`;
    headers['Vary'] = 'Accept';
    if (immutable === true) headers['Cache-Control'] = 'public, max-age=31536000, immutable';
    if (matches(headerOf(request, 'if-none-match'), etag)) {
      response.writeHead(304, headers);
      response.end();
      return;
    }
  }
  await send(exchange, 200, contentType, [body], context.limits);
}

const matches = (header: string | undefined, etag: string): boolean =>
  (header ?? '').split(',').some((tag) => ['*', `"${etag}"`, `W/"${etag}"`].includes(tag.trim()));

const fixed: Readonly<Record<string, (context: ServerContext, exchange: Exchange) => Promise<void>>> = {
  '/': (context, exchange) => {
    const paths = new Set(['/healthz', '/livez', '/readyz', '/metrics', '/version']);
    for (const { name } of context.healthChecks) for (const probe of ['healthz', 'livez', 'readyz']) paths.add(`/${probe}/${name}`);
    for (const endpoint of context.documents) for (const path of endpoint.paths()) paths.add(path);
    return sendPretty(context, exchange, { paths: [...paths].sort() });
  },
  '/version': (context, exchange) => sendPretty(context, exchange, context.version),
  '/metrics': (context, exchange) =>
    send(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', [context.registry.text()], context.limits),
};

const sendPretty = (context: ServerContext, exchange: Exchange, value: object): Promise<void> =>
  send(exchange, 200, 'application/json', [JSON.stringify(value, undefined, 2)], context.limits);

async function serveHealth(context: ServerContext, exchange: Exchange, endpoint: string, only: string | undefined): Promise<void> {
  exchange.headers['X-Content-Type-Options'] = 'nosniff';
  const text = (code: number, body: string): Promise<void> => send(exchange, code, 'text/plain; charset=utf-8', [body], context.limits);
  if (only !== undefined) {
    const check = context.healthChecks.find(({ name }) => name === only);
    if (check === undefined) throw pathNotFound();
    const { healthy, failures } = await runHealthChecks(endpoint, [check], []);
    if (healthy) return text(200, 'ok');
    const [failure] = failures;
    return text(500, `internal server error: ${failure?.error instanceof Error ? failure.error.message : 'unhealthy'}\n`);
  }
  const { query } = exchange.target;
  const report = await runHealthChecks(endpoint, context.healthChecks, query.getAll('exclude'));
  if (!report.healthy) {
    context.log.warn('health check failed', { endpoint, failures: report.failures.map(({ name, error }) => `${name}: ${String(error)}`) });
    return text(500, report.text);
  }
  return text(200, query.has('verbose') ? report.text : 'ok');
}
