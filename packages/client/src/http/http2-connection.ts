import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Clock, Timer } from '@orrery/base';
import { ConnectionError, type FailureStage, type HttpAnswer, type HttpConnection, outgoingHeaders, plainHeaders } from './connection.ts';
import type { HttpRequest } from './http-request.ts';

export interface Http2Options {
  readonly session: ClientHttp2Session;
  readonly clock: Clock;
  /** Called once, when the session takes no more requests: it was closed, failed, or is being sent away (GOAWAY). */
  readonly onRetired: () => void;
}

export interface Http2Connection extends HttpConnection {
  /** False while the server's limit of streams is used up. */
  readonly hasRoom: boolean;
  /** Takes no more requests; closes when the last one that is open ends. */
  retire(): void;
}

// As client-go: a connection that says nothing for 30 s is asked; without an answer in 15 s it is given up.
const PING_INTERVAL_MS = 30_000;
const PING_TIMEOUT_MS = 15_000;
const NO_ERROR = 0; // NGHTTP2_NO_ERROR
const REFUSED_STREAM = 7; // NGHTTP2_REFUSED_STREAM
const CANCEL = 8; // NGHTTP2_CANCEL
const NO_LIMIT = 1000; // Streams on one connection where the server names no limit.

export function newHttp2Connection(options: Http2Options): Http2Connection {
  return new SessionConnection(options);
}

/** Many requests on one connection. Keeps the process alive only while a request is open. */
class SessionConnection implements Http2Connection {
  readonly #session: ClientHttp2Session;
  readonly #clock: Clock;
  readonly #onRetired: () => void;
  #open = 0; // Invariant: streams that have not closed.
  #retired = false;
  #pinger: Timer | undefined; // Invariant: defined only while #open > 0.

  constructor({ session, clock, onRetired }: Http2Options) {
    this.#session = session;
    this.#clock = clock;
    this.#onRetired = onRetired;
    session.on('error', () => this.#retire()); // Each stream gets its own error.
    session.on('close', () => this.#retire());
    session.on('goaway', () => this.#retire());
    session.unref();
  }

  get hasRoom(): boolean {
    return this.#open < Math.min(this.#session.remoteSettings?.maxConcurrentStreams ?? NO_LIMIT, NO_LIMIT);
  }

  request({ method, path, headers, body }: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      let stream: ClientHttp2Stream;
      try {
        stream = this.#session.request(
          { ':method': method, ':path': path, ...outgoingHeaders(headers) },
          { endStream: body === undefined },
        );
      } catch (cause) {
        reject(new ConnectionError(messageOf(cause), { cause, stage: 'refused' })); // The session closed before anything was sent.
        return;
      }
      this.#opened();
      const onAbort = (): void => {
        stream.close(CANCEL);
        stream.destroy(signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason)));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      stream.on('response', (head) => {
        resolve({
          status: Number(head[':status'] ?? 0),
          headers: plainHeaders(head),
          body: stream,
          whole: () => stream.rstCode === NO_ERROR,
        });
      });
      stream.on('error', (cause) => reject(new ConnectionError(messageOf(cause), { cause, stage: stageOf(stream) })));
      stream.once('close', () => {
        signal?.removeEventListener('abort', onAbort);
        this.#closed();
        const cause = new Error(`the stream was closed with code ${stream.rstCode}`);
        reject(new ConnectionError(cause.message, { cause, stage: stageOf(stream) })); // Nothing, after a response.
      });
      if (signal?.aborted === true) onAbort();
      else if (body !== undefined) stream.end(body);
    });
  }

  retire(): void {
    this.#retire();
  }

  async close(): Promise<void> {
    this.#retire();
    // With an error: without one, answers that are on their way would end as if they were whole.
    this.#session.destroy(new Error('the connection was closed by this client'));
  }

  #opened(): void {
    this.#open += 1;
    if (this.#open > 1) return;
    this.#session.ref();
    this.#pinger = this.#clock.after(PING_INTERVAL_MS, () => this.#ping(), { background: true });
  }

  #closed(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#pinger?.cancel();
    this.#pinger = undefined;
    if (this.#retired) this.#session.close();
    else this.#session.unref();
  }

  #retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#onRetired();
    if (this.#open === 0) this.#session.close();
  }

  #ping(): void {
    if (this.#session.destroyed) return;
    const giveUp = (): void => this.#session.destroy(new Error(`no answer to a ping within ${PING_TIMEOUT_MS} ms`));
    const timeout = this.#clock.after(PING_TIMEOUT_MS, giveUp, { background: true });
    const sent = this.#session.ping(() => {
      timeout.cancel();
      if (this.#open > 0) this.#pinger = this.#clock.after(PING_INTERVAL_MS, () => this.#ping(), { background: true });
    });
    if (!sent) timeout.cancel(); // Too many pings outstanding: one of them decides.
  }
}

const stageOf = ({ rstCode }: ClientHttp2Stream): FailureStage => (rstCode === REFUSED_STREAM ? 'refused' : 'sent');
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
