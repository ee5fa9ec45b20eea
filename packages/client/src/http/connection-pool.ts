import type { ClientHttp2Session } from 'node:http2';
import { assert, type Clock, timeoutSignal } from '@orrery/base';
import { ConnectionError, type HttpAnswer, type HttpConnection } from './connection.ts';
import { dialTls, hostOf, type TlsCredentials, tlsOptionsOf } from './dial.ts';
import type { HttpRequest } from './http-request.ts';
import { newHttp1Connection } from './http1-connection.ts';
import { type Http2Connection, newHttp2Connection } from './http2-connection.ts';

export interface ConnectionPoolOptions {
  readonly url: URL;
  readonly credentials: TlsCredentials;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
}

/**
 * Sends each request over a connection that has room for it. Connects when there is none; the server's ALPN answer decides the protocol.
 * More than the server's limit of streams are spread over several connections: a queue behind watches would never move.
 */
export interface ConnectionPool extends HttpConnection {
  /** Takes no new requests; what is open goes on to its end, then its connections close. */
  retire(): void;
}

// Windows large enough that a list of megabytes is not stopped every 64 KiB: 4 MiB for each stream, 16 MiB for the connection.
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/** Idle HTTP/1.1 connections that are kept. */
const IDLE_SOCKETS_MAX = 32;

export function newConnectionPool(options: ConnectionPoolOptions): ConnectionPool {
  return new Pool(options);
}

class Pool implements ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  /** HTTP/2 connections that take requests. */
  #sessions: readonly Http2Connection[] = [];
  #http1: HttpConnection | undefined; // Invariant: defined once the server has declined HTTP/2.
  #connecting: Promise<void> | undefined;
  #closed = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  async request(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed) throw new ConnectionError('the transport is closed', { cause: undefined, stage: 'connecting' });
      const ready = this.#http1 ?? this.#sessions.find(({ hasRoom }) => hasRoom);
      if (ready !== undefined) return ready.request(request, signal); // Takes its room before anybody else looks.
      this.#connecting ??= this.#connect().finally(() => {
        this.#connecting = undefined;
      });
      await this.#connecting;
    }
  }

  retire(): void {
    this.#closed = true;
    for (const session of this.#sessions) session.retire();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connecting?.catch(() => {}); // Whoever asked for it hears of its failure.
    await Promise.all([...this.#sessions, this.#http1].map((connection) => connection?.close()));
    this.#sessions = [];
  }

  async #connect(): Promise<void> {
    const { url, credentials, connectTimeoutMs, clock } = this.#options;
    if (url.protocol === 'http:') return this.#useHttp1(false);
    const tlsOptions = tlsOptionsOf(url, credentials);
    const socket = await dialTls({ ...tlsOptions, ALPNProtocols: ['h2', 'http/1.1'] }, connectTimeoutMs, clock);
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return this.#useHttp1(true);
    }
    const http2 = await import('node:http2');
    const session = http2.connect(url.origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    });
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    });
    await settingsOf(session, clock, connectTimeoutMs);
    const connection: Http2Connection = newHttp2Connection({
      session,
      clock,
      onRetired: () => {
        this.#sessions = this.#sessions.filter((other) => other !== connection);
      },
    });
    if (this.#closed) await connection.close();
    else this.#sessions = [...this.#sessions, connection];
  }

  async #useHttp1(secure: boolean): Promise<void> {
    const { url, credentials } = this.#options;
    const settings = { keepAlive: true, maxFreeSockets: IDLE_SOCKETS_MAX };
    if (secure) {
      const https = await import('node:https');
      const target = tlsOptionsOf(url, credentials);
      this.#http1 = newHttp1Connection({ open: https.request, agent: new https.Agent(settings), target });
    } else {
      assert(url.protocol === 'http:', 'only https and http are spoken');
      const http = await import('node:http');
      const target = { host: hostOf(url), port: Number(url.port || 80) };
      this.#http1 = newHttp1Connection({ open: http.request, agent: new http.Agent(settings), target });
    }
  }
}

/** Waits for the server's settings: they say how many streams it takes. Every server sends them first. */
async function settingsOf(session: ClientHttp2Session, clock: Clock, timeoutMs: number): Promise<void> {
  using timeout = timeoutSignal(clock, timeoutMs, `no HTTP/2 settings within ${timeoutMs} ms`);
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error): void => {
      session.destroy();
      reject(new ConnectionError(cause.message, { cause, stage: 'connecting' }));
    };
    session.once('remoteSettings', () => resolve());
    session.once('error', fail);
    session.once('close', () => fail(new Error('the connection was closed before it was set up')));
    timeout.signal.addEventListener('abort', () => fail(timeout.signal.reason), { once: true });
  });
}
