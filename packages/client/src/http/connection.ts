import type { Readable } from 'node:stream';
import type { HttpRequest } from './http-request.ts';

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; several values joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to its end or destroyed. */
  readonly body: Readable;
  /** Asked when `body` has ended: false when the connection was cut before the answer's end, which some streams end like any other. */
  readonly whole?: () => boolean;
}

/** One way to send requests to one server. */
export interface HttpConnection {
  /** Resolves with the head of the answer. Rejects with a {@link ConnectionError}. */
  request(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/**
 * How far a request came. `connecting`: there was no connection. `refused`: the server closed a connection before it began with the request,
 * so that it may be sent again at once. `sent`: unknown, the server may have done what was asked.
 */
export type FailureStage = 'connecting' | 'refused' | 'sent';

/** A network failure before any answer. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly stage: FailureStage;

  constructor(message: string, options: { readonly cause: unknown; readonly stage: FailureStage }) {
    super(message, { cause: options.cause });
    this.stage = options.stage;
  }
}

/** What Node calls headers, as one string for each name. Pseudo-headers are left out. */
export function plainHeaders(headers: Readonly<Record<string, string | readonly string[] | number | undefined>>): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':')) continue;
    plain[name.toLowerCase()] = typeof value === 'object' ? value.join(', ') : String(value);
  }
  return plain;
}

/** Node wants arrays that it may change. */
export function outgoingHeaders(headers: HttpRequest['headers']): Record<string, string | string[]> {
  const outgoing: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) outgoing[name] = typeof value === 'string' ? value : [...value];
  return outgoing;
}
