import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { UserInfo } from '../definition.ts';
import type { RequestInfo } from './request-info.ts';
import type { RequestTarget } from './request-target.ts';

/** What HTTP/1.1 and HTTP/2 requests share. */
export interface HttpRequest extends Readable {
  readonly method?: string;
  readonly url?: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turns, as they came. */
  readonly rawHeaders: readonly string[];
  readonly httpVersionMajor: number;
  readonly httpVersion: string;
  readonly socket: TLSSocket;
  /** Of HTTP/2 alone. */
  readonly stream?: { readonly session?: { readonly socket: unknown } | undefined };
}

/** What HTTP/1.1 and HTTP/2 answers share. */
export interface HttpResponse {
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly destroyed?: boolean;
  statusCode: number;
  writeHead(code: number, headers: OutgoingHeaders): unknown;
  flushHeaders(): void;
  write(chunk: Uint8Array | string): boolean;
  end(chunk?: Uint8Array | string): unknown;
  destroy(error?: Error): unknown;
  once(event: 'drain' | 'close' | 'finish' | 'error', listener: () => void): unknown;
  removeListener(event: 'drain' | 'close' | 'finish' | 'error', listener: () => void): unknown;
}
export type OutgoingHeaders = Record<string, string | number | string[]>;

/** One request on its way to an answer. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly method: string;
  readonly target: RequestTarget;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  /** Aborts when the client goes away, the deadline passes or the server shuts down; the reason says which. */
  readonly signal: AbortSignal;
  /** Headers that every answer to this request carries. */
  readonly headers: OutgoingHeaders;
  /** The raw connection of a WebSocket request; such a request has no body. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer } | undefined;
}

/** The connection of a request: one object for all of its requests, where `request.socket` is another one for each HTTP/2 stream. */
export const connectionOf = ({ stream, socket }: HttpRequest): TLSSocket => (stream?.session?.socket ?? socket) as TLSSocket;

/** Text of one header; undefined when absent. Repeated ones are joined as Node joins them. */
export function headerOf(request: { readonly headers: IncomingHttpHeaders }, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
