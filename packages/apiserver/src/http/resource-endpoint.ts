import { apiVersionOf } from '@orrery/apimachinery';
import type { ResourceDefinition } from '../definition.ts';
import type { ApiCall, ApiResult } from '../handler.ts';
import { sendBody } from './answer.ts';
import type { ServerContext } from './context.ts';
import { valueBody } from './encoding/answer-body.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { type Accepted, answerOffer, negotiate, type Offer, objectOffer, watchOffer, withoutProtobuf } from './negotiation.ts';
import { type FormContext, listFormBody, objectBody, watchTransform } from './object-form.ts';
import type { ResourceRequestInfo } from './request-info.ts';
import { callOf, definitionOf, routeOf } from './resource-call.ts';
import { methodNotAllowed, pathNotFound } from './status-answer.ts';
import { warningHeaders } from './warning-header.ts';
import { newChunkedSink, pumpWatch, withWatchTimeout } from './watch-answer.ts';
import { newJsonWatchEncoder, newProtobufWatchEncoder, type WatchEncoder } from './watch-frame.ts';
import { openWebSocketSink } from './watch-websocket.ts';

/** Serves one request about resources. @throws {StatusError} for everything that is the client's to hear. */
export async function serveResource(context: ServerContext, exchange: Exchange, info: ResourceRequestInfo): Promise<void> {
  const definition = definitionOf(context.handler, info);
  if (definition === undefined) throw pathNotFound();
  const verb = routeOf(definition, info);
  if (verb === 'watch' && exchange.method === 'HEAD') throw methodNotAllowed();
  tell(exchange, deprecationOf(definition));
  const accept = headerOf(exchange.request, 'accept');
  const offer = verb === 'watch' ? watchOffer : definition.answer === undefined ? objectOffer : answerOffer;
  const accepted = negotiate(accept, offerOf(context, definition, offer, accept));
  const call = await callOf(context, exchange, definition, info, verb);
  if (verb === 'watch') return serveWatch(context, exchange, definition, call, accepted);
  const result = await context.handler.handle(call, exchange.signal);
  await sendResult(context, exchange, definition, result, accepted);
}

/** Custom resources have no protobuf form. The tables are asked only when a client names protobuf. */
function offerOf({ protobuf }: ServerContext, definition: ResourceDefinition, offer: Offer, accept: string | undefined): Offer {
  if (accept === undefined || !accept.includes('protobuf')) return offer;
  return protobuf().supports(apiVersionOf(definition), definition.kind) ? offer : withoutProtobuf(offer);
}

async function sendResult(
  context: ServerContext,
  exchange: Exchange,
  definition: ResourceDefinition,
  result: ApiResult,
  accepted: Accepted,
): Promise<void> {
  const form: FormContext = { definition, query: exchange.target.query, nowMs: context.clock.now() };
  if (result.type === 'list') return sendBody(context, exchange, 200, accepted, listFormBody(result, accepted, form));
  tell(exchange, [...deprecationOf(definition), ...result.warnings]);
  if (result.type === 'object') return sendBody(context, exchange, result.code, accepted, objectBody(result.item, accepted, form));
  await sendBody(context, exchange, result.code, { ...accepted, as: undefined }, valueBody(result.value));
}

function tell(exchange: Exchange, warnings: readonly string[]): void {
  const values = warningHeaders(warnings);
  if (values.length > 0) exchange.headers['Warning'] = values;
}

/** Source: the API server's deprecation.WarningMessage. */
function deprecationOf({ deprecation, kind, ...definition }: ResourceDefinition): readonly string[] {
  if (deprecation === undefined) return [];
  const { since, replacement } = deprecation;
  const instead = replacement === undefined ? '' : `; use ${replacement}`;
  return [`${apiVersionOf(definition)} ${kind} is deprecated in v${since}+${instead}`];
}

async function serveWatch(
  context: ServerContext,
  exchange: Exchange,
  definition: ResourceDefinition,
  call: ApiCall,
  accepted: Accepted,
): Promise<void> {
  const encoder = watchEncoderOf(context, exchange, definition, accepted);
  const sink =
    exchange.upgrade === undefined
      ? newChunkedSink(exchange, encoder.contentType, context.clock, context.limits.stalledWriteMs)
      : await openWebSocketSink(context, exchange, encoder);
  await pumpWatch(context, exchange, withWatchTimeout(call, context.random), encoder, sink);
}

function watchEncoderOf(context: ServerContext, exchange: Exchange, definition: ResourceDefinition, accepted: Accepted): WatchEncoder {
  const form: FormContext = { definition, query: exchange.target.query, nowMs: context.clock.now() };
  const transform = watchTransform(accepted, form, () => context.clock.now());
  return accepted.format === 'protobuf' ? newProtobufWatchEncoder(transform, context.protobuf()) : newJsonWatchEncoder(transform);
}
