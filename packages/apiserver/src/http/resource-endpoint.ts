import type { ResourceDefinition } from '../definition.ts';
import type { ApiCall, ApiResult } from '../handler.ts';
import { sendJson } from './answer.ts';
import type { ServerContext } from './context.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { type Accepted, negotiate, objectOffer, watchOffer } from './negotiation.ts';
import { encodeValue, type FormContext, listFormPieces, objectPieces, watchTransform } from './object-form.ts';
import type { ResourceRequestInfo } from './request-info.ts';
import { callOf, definitionOf, routeOf } from './resource-call.ts';
import { pathNotFound } from './status-answer.ts';
import { warningHeaders } from './warning-header.ts';
import { newChunkedSink, pumpWatch, withWatchTimeout } from './watch-answer.ts';
import { newJsonWatchEncoder } from './watch-frame.ts';

/** Serves one request about resources. @throws {StatusError} for everything that is the client's to hear. */
export async function serveResource(context: ServerContext, exchange: Exchange, info: ResourceRequestInfo): Promise<void> {
  const definition = definitionOf(context.handler, info);
  if (definition === undefined) throw pathNotFound();
  const verb = routeOf(definition, info);
  const accept = headerOf(exchange.request, 'accept');
  const accepted = negotiate(accept, verb === 'watch' ? watchOffer : objectOffer);
  const call = await callOf(exchange, definition, info, verb, context.limits);
  if (verb === 'watch') return serveWatch(context, exchange, definition, call, accepted);
  const result = await context.handler.handle(call, exchange.signal);
  await sendResult(context, exchange, definition, result, accepted);
}

async function sendResult(
  context: ServerContext,
  exchange: Exchange,
  definition: ResourceDefinition,
  result: ApiResult,
  accepted: Accepted,
): Promise<void> {
  const form: FormContext = { definition, query: exchange.target.query, nowMs: context.clock.now() };
  if (result.type === 'list') return sendJson(context, exchange, 200, accepted, listFormPieces(result, accepted, form));
  const warnings = warningHeaders(result.warnings);
  if (warnings.length > 0) exchange.headers['Warning'] = warnings;
  if (result.type === 'object') return sendJson(context, exchange, result.code, accepted, objectPieces(result.item, accepted, form));
  const plain = 'kind' in result.value && result.value.kind === 'Status' ? { ...accepted, as: undefined } : accepted;
  await sendJson(context, exchange, result.code, plain, objectPieces(encodeValue(result.value), plain, form));
}

async function serveWatch(
  context: ServerContext,
  exchange: Exchange,
  definition: ResourceDefinition,
  call: ApiCall,
  accepted: Accepted,
): Promise<void> {
  const form: FormContext = { definition, query: exchange.target.query, nowMs: context.clock.now() };
  const encoder = newJsonWatchEncoder(watchTransform(accepted, form, () => context.clock.now()));
  const sink = newChunkedSink(exchange, encoder.contentType, context.clock, context.limits.stalledWriteMs);
  await pumpWatch(context, exchange, withWatchTimeout(call, context.random), encoder, sink);
}
