import type { StatusError } from '@orrery/apimachinery';
import type { ServerContext } from './context.ts';
import { encodeInFormat } from './encode-format.ts';
import { type Exchange, headerOf } from './exchange.ts';
import { type Accepted, contentTypes, negotiateError, wantsPretty } from './negotiation.ts';
import { send } from './send.ts';

/** Sends JSON pieces in the format and layout that the client accepts. */
export async function sendJson(
  context: ServerContext,
  exchange: Exchange,
  code: number,
  accepted: Accepted,
  pieces: readonly (Buffer | string)[],
): Promise<void> {
  const pretty = wantsPretty(accepted, exchange.target.query, headerOf(exchange.request, 'user-agent'));
  const encoded = await encodeInFormat(pieces, accepted.format, pretty);
  await send(exchange, code, contentTypes[accepted.format], encoded, context.limits);
}

/** Answers with an error's Status. Does nothing once an answer has begun. */
export async function sendError(context: ServerContext, exchange: Exchange, error: StatusError): Promise<void> {
  if (exchange.response.headersSent) return;
  const accepted = negotiateError(headerOf(exchange.request, 'accept'));
  const retryAfter = error.details?.retryAfterSeconds;
  if (retryAfter !== undefined && retryAfter > 0) exchange.headers['Retry-After'] = retryAfter;
  await sendJson(context, exchange, error.code, accepted, [JSON.stringify(error.toStatus())]);
}
