import type { Duplex } from 'node:stream';
import { isStatusError } from '@orrery/apimachinery';
import { abortable } from '@orrery/base';
import { anonymousUser } from '../authentication/authenticator.ts';
import { sendError } from './answer.ts';
import type { ServerContext } from './context.ts';
import { deadlineMsOf } from './deadline.ts';
import { discardBody } from './discard-body.ts';
import { dispatch } from './dispatch.ts';
import { type Exchange, type HttpRequest, type HttpResponse, headerOf } from './exchange.ts';
import { newGate } from './gate.ts';
import { identify, permit } from './identify.ts';
import { isLongRunning, requestInfoOf } from './request-info.ts';
import { metricVerbOf } from './request-metrics.ts';
import { parseRequestTarget } from './request-target.ts';
import { ClientGone, requestTimedOut, statusErrorOf } from './status-answer.ts';

/** Takes requests from the wire to their answers. */
export interface Pipeline {
  /** Never throws, and nothing it starts is left unhandled. */
  serve(request: HttpRequest, response: HttpResponse, upgrade?: { readonly socket: Duplex; readonly head: Buffer }): void;
  /** Ends watches and other long requests now. Resolves when the last request is done. */
  drain(): Promise<void>;
}

/** The server is going down: long requests end as if they had run out. */
class ServerStopping extends Error {
  override readonly name = 'ServerStopping';
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Running {
  readonly exchange: Exchange;
  readonly controller: AbortController;
}

export function newPipeline(context: ServerContext): Pipeline {
  const gate = newGate(context);
  /** Every request between its first and last byte. */
  const running = new Set<Running>();
  let stopping = false;
  let onIdle: (() => void) | undefined;

  const through = async (exchange: Mutable<Exchange>, controller: AbortController): Promise<void> => {
    const { request } = exchange;
    exchange.target = parseRequestTarget(request.url ?? '/');
    const info = requestInfoOf(exchange.method, exchange.target.path, exchange.target.query);
    exchange.info = info;
    const deadlineMs = deadlineMsOf(info, exchange.target.query, context.limits.requestTimeoutMs);
    const timer =
      deadlineMs === undefined
        ? undefined
        : context.clock.after(deadlineMs, () => controller.abort(requestTimedOut()), { background: true });
    let leave: (() => void) | undefined;
    try {
      exchange.user = await identify(context, request, info, exchange.signal);
      leave = gate.enter(info, metricVerbOf(info, headerOf(request, 'content-type')));
      await permit(context, info, exchange.user, exchange.signal);
      await abortable(dispatch(context, exchange), exchange.signal);
    } finally {
      timer?.cancel();
      leave?.();
    }
  };

  const run = async (entry: Running): Promise<void> => {
    const { exchange, controller } = entry;
    const startedMs = context.clock.monotonicMs();
    running.add(entry);
    if (stopping) controller.abort(new ServerStopping());
    try {
      await through(exchange, controller);
    } catch (error) {
      await fail(context, exchange, error);
    } finally {
      running.delete(entry);
      if (running.size === 0) onIdle?.();
      const { info, response, target, request } = exchange;
      const seconds = (context.clock.monotonicMs() - startedMs) / 1000;
      const verb = metricVerbOf(info, headerOf(request, 'content-type'));
      context.metrics.finished(info, verb, target.query.has('dryRun'), response.statusCode, seconds);
    }
  };

  return {
    serve(request, response, upgrade) {
      const controller = new AbortController();
      const exchange = newExchange(context, request, response, controller.signal, upgrade);
      let done = false;
      response.once('close', () => {
        if (!done) controller.abort(new ClientGone());
      });
      run({ exchange, controller })
        .finally(() => {
          done = true;
        })
        .catch((error: unknown) => {
          context.log.error('request failed after its answer began', { error, path: exchange.target.path });
          response.destroy();
        });
    },
    async drain() {
      stopping = true;
      for (const { exchange, controller } of running) if (isLongRunning(exchange.info)) controller.abort(new ServerStopping());
      if (running.size > 0) await new Promise<void>((resolve) => (onIdle = resolve));
    },
  };
}

/** Until the request's own is read. */
const rootTarget = parseRequestTarget('/');

function newExchange(
  { random }: ServerContext,
  request: HttpRequest,
  response: HttpResponse,
  signal: AbortSignal,
  upgrade: Exchange['upgrade'],
): Exchange {
  const auditId = headerOf(request, 'audit-id');
  return {
    request,
    response,
    method: request.method ?? 'GET',
    target: rootTarget,
    info: { type: 'path', verb: (request.method ?? 'get').toLowerCase(), path: '/' },
    user: anonymousUser,
    signal,
    headers: {
      'Audit-Id': auditId !== undefined && /^[\w.-]{1,64}$/.test(auditId) ? auditId : random.uuid(),
      'Cache-Control': 'no-cache, private',
    },
    upgrade,
  };
}

/** Tells the client, when there is still somebody to tell and a way to. */
async function fail(context: ServerContext, exchange: Exchange, error: unknown): Promise<void> {
  const { response, request, signal } = exchange;
  if (error instanceof ClientGone || signal.reason instanceof ClientGone) {
    response.destroy();
    return;
  }
  if (error instanceof ServerStopping || signal.reason instanceof ServerStopping) {
    response.end();
    return;
  }
  const told = statusErrorOf(error);
  if (!isStatusError(error)) context.log.error('request failed', { error, path: exchange.target.path, verb: exchange.info.verb });
  if (response.headersSent) {
    response.destroy(); // Cut off: the client sees that the answer is incomplete.
    return;
  }
  const answer: Exchange = { ...exchange, signal: new AbortController().signal }; // A passed deadline must not stop its own 504.
  await sendError(context, answer, told);
  if (!request.readableEnded) discardBody(request, response, context.clock);
}
