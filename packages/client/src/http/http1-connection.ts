import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders, RequestOptions } from 'node:http';
import { ConnectionError, type HttpAnswer, type HttpConnection, outgoingHeaders, plainHeaders } from './connection.ts';
import type { HttpRequest } from './http-request.ts';

export interface Http1Options {
  /** `request` of node:http or node:https. */
  readonly open: (options: RequestOptions) => ClientRequest;
  readonly agent: Agent;
  /** Host, port, and how TLS is done. */
  readonly target: RequestOptions;
}

/** HTTP/1.1 with kept-alive connections: what servers and proxies without HTTP/2 get. */
export function newHttp1Connection({ open, agent, target }: Http1Options): HttpConnection {
  const send = (request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const outgoing = open({ ...target, agent, method: request.method, path: request.path, headers: headersOf(request) });
      const onAbort = (): void => void outgoing.destroy(asError(signal?.reason));
      signal?.addEventListener('abort', onAbort, { once: true });
      const done = (): void => signal?.removeEventListener('abort', onAbort);
      outgoing.on('response', (incoming: IncomingMessage) => {
        incoming.once('close', done);
        resolve({ status: incoming.statusCode ?? 0, headers: plainHeaders(incoming.headers), body: incoming });
      });
      outgoing.on('error', (cause) => {
        done();
        reject(new ConnectionError(cause.message, { cause, stage: 'sent' }));
      });
      if (signal?.aborted === true) onAbort();
      outgoing.end(request.body);
    });

  return {
    request: send,
    close: async () => agent.destroy(),
  };
}

function headersOf({ headers, body }: HttpRequest): OutgoingHttpHeaders {
  const outgoing = outgoingHeaders(headers);
  return body === undefined ? outgoing : { ...outgoing, 'content-length': Buffer.byteLength(body) };
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));
