import type { StatusError } from '@orrery/apimachinery';
import type { ServerContext } from './context.ts';
import { type AnswerBody, encodeBody, valueBody } from './encoding/answer-body.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { type Accepted, contentTypes, negotiateError, wantsPretty } from './negotiation.ts';
import { send } from './send.ts';

/** Sends an answer in the format and layout that the client accepts. */
export async function sendBody(
  context: ServerContext,
  exchange: Exchange,
  code: number,
  accepted: Accepted,
  body: AnswerBody,
): Promise<void> {
  const pretty = wantsPretty(accepted, exchange.target.query, headerOf(exchange.request, 'user-agent'));
  const pieces = await encodeBody(body, accepted.format, pretty, context.protobuf);
  await send(exchange, code, contentTypes[accepted.format], pieces, context.limits);
}

/** Answers with an error's Status. Does nothing once an answer has begun. */
export async function sendError(context: ServerContext, exchange: Exchange, error: StatusError): Promise<void> {
  if (exchange.response.headersSent) return;
  const accepted = negotiateError(headerOf(exchange.request, 'accept'));
  const retryAfter = error.details?.retryAfterSeconds;
  if (retryAfter !== undefined && retryAfter > 0) exchange.headers['Retry-After'] = retryAfter;
  await sendBody(context, exchange, error.code, accepted, valueBody(error.toStatus()));
}
