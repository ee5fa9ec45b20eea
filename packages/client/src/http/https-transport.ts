import type { Readable } from 'node:stream';
import type { KubeList, KubeObject, WatchEvent } from '@orrery/apimachinery';
import { isStatusError, StatusError } from '@orrery/apimachinery';
import { anySignal, type Clock, realClock, timeoutSignal } from '@orrery/base';
import type { ApiRequest, RawRequest, RawResponse, Transport, UpgradedConnection } from '../transport.ts';
import { ConnectionError, type HttpAnswer } from './connection.ts';
import { type ConnectionPool, newConnectionPool } from './connection-pool.ts';
import type { Credential, CredentialSource } from './credential.ts';
import { decodeBody, decodeError, decodeEvents, warningsIn } from './decode.ts';
import type { TlsCredentials } from './dial.ts';
import { type HttpRequest, httpRequestOf } from './http-request.ts';
import { linesOf } from './json-lines.ts';
import { upgradeConnection } from './upgrade.ts';

/** A bearer token, or what gives the current one. `rejected`: the server answered 401 to the last one, get another. */
export type TokenSource = string | ((options: { readonly rejected: boolean }) => Promise<string | undefined>);

export interface HttpsTransportOptions extends TlsCredentials {
  /** URL of the API server, as `https://127.0.0.1:6443`; a path is put before every request. `http:` is spoken too, as to `kubectl proxy`. */
  readonly server: string;
  readonly token?: TokenSource | undefined;
  /** Credentials that change, certificates too; what they hold wins over `token`, `cert` and `key`. */
  readonly credentials?: CredentialSource | undefined;
  /** Sent with every request, as `user-agent` or `impersonate-user`. Names in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** @default the machine's clock: the network has no other */
  readonly clock?: Clock;
  /** @default 10_000 */
  readonly connectTimeoutMs?: number;
  /** For `send`: until the whole answer is there. Longer than the server's own limit of 60 s, so that its explanation arrives. @default 90_000 */
  readonly requestTimeoutMs?: number;
  /** Hears the server's warnings (`Warning` headers). @default nobody */
  readonly onWarning?: (text: string) => void;
}

/** Answers of 429, or 5xx with Retry-After, that are waited out before the error is passed on. As client-go. */
const RETRIES_MAX = 10;
/** Longest wait that a server may ask for in one Retry-After. */
const RETRY_AFTER_MS_MAX = 30_000;
/** Sends of one request over connections that broke before the server had begun with it. */
const RECONNECTS_MAX = 3;
/** Connections of former certificates that are still closed with the transport; older ones are long idle, and closed themselves. */
const RETIRED_POOLS_MAX = 4;

/**
 * The API over HTTPS: HTTP/2 with all requests on one kept connection where the server speaks it, HTTP/1.1 otherwise. Connects when first
 * used, and again after the connection was lost. Does not keep the process alive while no request is open. Network failures reject with a
 * StatusError `ServiceUnavailable`, see {@link isConnectionError}; `signal` rejects with its reason.
 */
export function newHttpsTransport(options: HttpsTransportOptions): Required<Transport> {
  return new HttpsTransport(options);
}

/** Whether no answer came at all: the server is away, or the connection broke. `cause.cause` is the network error. */
export function isConnectionError(error: unknown): boolean {
  return isStatusError(error) && error.cause instanceof ConnectionError;
}

/** A request with what proves who sends it. */
interface Prepared {
  readonly http: HttpRequest;
  readonly credential: Credential | undefined;
}

class HttpsTransport implements Required<Transport> {
  readonly #options: HttpsTransportOptions;
  readonly #clock: Clock;
  readonly #url: URL;
  readonly #prefix: string;
  #pool: ConnectionPool;
  #retired: readonly ConnectionPool[] = []; // Of former certificates.
  #certificate: Credential['certificate']; // Invariant: what #pool connects with, where credentials change.

  constructor(options: HttpsTransportOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#url = new URL(options.server);
    this.#prefix = this.#url.pathname.replace(/\/+$/, '');
    this.#pool = this.#newPool();
  }

  async send(request: ApiRequest, signal?: AbortSignal): Promise<KubeObject | KubeList<KubeObject>> {
    const http = httpRequestOf(request);
    const timeoutMs = this.#options.requestTimeoutMs ?? 90_000;
    using timeout = timeoutSignal(this.#clock, timeoutMs);
    using either = anySignal(signal, timeout.signal);
    try {
      const answer = await this.#patiently(http, either.signal);
      const text = await textOf(answer);
      if (answer.status >= 400) throw decodeError(answer.status, text);
      return decodeBody(text);
    } catch (error) {
      if (!timeout.signal.aborted || isStatusError(error)) throw this.#translate(error, http, signal);
      throw new StatusError('Timeout', `${this.#name(http)}: no answer within ${timeoutMs} ms`, undefined, { cause: error });
    }
  }

  async *watch(request: ApiRequest, signal?: AbortSignal): AsyncIterable<readonly WatchEvent<KubeObject>[]> {
    const http = httpRequestOf(request);
    let body: Readable | undefined;
    try {
      const answer = await this.#patiently(http, signal);
      body = answer.body;
      if (answer.status >= 400) throw decodeError(answer.status, await textOf(answer));
      for await (const lines of linesOf(body)) {
        const { events, error } = decodeEvents(lines);
        if (events.length > 0) yield events;
        if (error !== undefined) throw error;
      }
    } catch (error) {
      throw this.#translate(error, http, signal);
    } finally {
      body?.destroy();
    }
  }

  async raw({ method = 'GET', path, headers = {}, body }: RawRequest, signal?: AbortSignal): Promise<RawResponse> {
    const http: HttpRequest = { method, path, headers, body };
    try {
      return await this.#authorized(http, signal);
    } catch (error) {
      throw this.#translate(error, http, signal);
    }
  }

  async upgrade({ method = 'GET', path, headers = {} }: RawRequest, signal?: AbortSignal): Promise<UpgradedConnection> {
    const request: HttpRequest = { method, path, headers };
    const attempt = async ({ http, credential }: Prepared): Promise<UpgradedConnection> =>
      upgradeConnection(this.#url, { ...this.#options, ...credential?.certificate }, http, signal);
    const first = await this.#prepared(request);
    try {
      return await attempt(first).catch(async (error: unknown) => {
        if (!isStatusError(error) || error.code !== 401 || !this.#canRefresh()) throw error;
        return attempt(await this.#prepared(request, first));
      });
    } catch (error) {
      throw this.#translate(error, request, signal);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool, ...this.#retired].map((pool) => pool.close()));
  }

  #newPool(): ConnectionPool {
    const credentials = { ...this.#options, ...this.#certificate };
    const connectTimeoutMs = this.#options.connectTimeoutMs ?? 10_000;
    return newConnectionPool({ url: this.#url, credentials, clock: this.#clock, connectTimeoutMs });
  }

  /** Connections that show another certificate are used no more; watches on them go on. */
  #use(certificate: Credential['certificate']): void {
    if (certificate?.cert === this.#certificate?.cert && certificate?.key === this.#certificate?.key) return;
    this.#certificate = certificate;
    this.#pool.retire();
    this.#retired = [...this.#retired, this.#pool].slice(-RETIRED_POOLS_MAX);
    this.#pool = this.#newPool();
  }

  /** Waits out answers that ask for it. */
  async #patiently(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    for (let retries = 0; ; retries += 1) {
      const answer = await this.#authorized(request, signal);
      for (const text of warningsIn(answer.headers['warning'])) this.#options.onWarning?.(text);
      const waitMs = retryAfterMs(answer);
      if (waitMs === undefined || retries >= RETRIES_MAX) return answer;
      answer.body.resume();
      await this.#clock.sleep(waitMs, signal);
    }
  }

  /** Sends with our credentials; once more with new ones when they can be had and the server refused them. */
  async #authorized(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const first = await this.#prepared(request);
    const answer = await this.#send(first.http, signal);
    if (answer.status !== 401 || !this.#canRefresh()) return answer;
    answer.body.resume();
    return this.#send((await this.#prepared(request, first)).http, signal);
  }

  #canRefresh(): boolean {
    const { token, credentials } = this.#options;
    return typeof token === 'function' || credentials !== undefined;
  }

  /** @param refused - What the server answered 401 to. */
  async #prepared(request: HttpRequest, refused?: Prepared): Promise<Prepared> {
    const { token, headers, credentials } = this.#options;
    const credential = await credentials?.({ rejected: refused?.credential });
    if (credentials !== undefined) this.#use(credential?.certificate);
    const other = async () => (typeof token === 'function' ? token({ rejected: refused !== undefined }) : token);
    const bearer = credential?.token ?? (await other());
    const authorization = bearer === undefined || bearer === '' ? {} : { authorization: `Bearer ${bearer}` };
    const http = { ...request, path: this.#prefix + request.path, headers: { ...headers, ...authorization, ...request.headers } };
    return { http, credential };
  }

  /** Sends over a live connection. A request that the server has not begun with, and a read, is sent again when the connection breaks. */
  async #send(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#pool.request(request, signal);
      } catch (error) {
        if (signal?.aborted === true || !(error instanceof ConnectionError)) throw error;
        const isRead = request.method === 'GET' || request.method === 'HEAD';
        const again = error.stage === 'refused' ? attempt < RECONNECTS_MAX : error.stage === 'sent' && isRead && attempt === 1;
        if (!again) throw error;
      }
    }
  }

  /** The one place where network failures become API errors. */
  #translate(error: unknown, request: HttpRequest, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return signal.reason;
    if (isStatusError(error)) return error;
    const cause = error instanceof ConnectionError ? error : new ConnectionError(String(error), { cause: error, stage: 'sent' });
    return new StatusError('ServiceUnavailable', `${this.#name(request)}: ${cause.message}`, undefined, { cause });
  }

  #name({ method, path }: HttpRequest): string {
    return `${method} ${this.#url.origin}${path.split('?')[0]}`;
  }
}

/** The whole body. By events: an async iterator costs more than a small answer itself. */
function textOf({ body, whole }: HttpAnswer): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let ended = false;
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.once('end', () => {
      if (whole?.() === false) return; // Its close says the rest.
      ended = true;
      resolve((chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)).toString('utf8'));
    });
    body.once('error', reject);
    body.once('close', () => {
      if (!ended) reject(new Error('the connection was closed in the middle of the answer'));
    });
  });
}

/** Undefined: the answer does not ask to be waited out. */
function retryAfterMs({ status, headers }: HttpAnswer): number | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  if ((status !== 429 && status < 500) || Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(seconds, 0) * 1000, RETRY_AFTER_MS_MAX);
}
