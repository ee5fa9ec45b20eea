import { Agent, type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { Agent as TlsAgent } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { protobufCodec } from '@orrery/api';
import { StatusError } from '@orrery/apimachinery';
import { type Clock, type Random, realClock, systemRandom } from '@orrery/base';
import {
  addProcessMetrics,
  type HealthCheck,
  type Logger,
  type MetricsRegistry,
  newMetricsRegistry,
  pingCheck,
  silentLogger,
} from '@orrery/component';
import type { Authenticator } from '../authentication/authenticator.ts';
import { newCertificateAuthenticator } from '../authentication/certificate.ts';
import { type Authorizer, newMastersAuthorizer } from '../authorization/authorizer.ts';
import type { ResourceHandler } from '../handler.ts';
import { trackConnections } from './connections.ts';
import type { ServerContext, VersionInfo } from './context.ts';
import type { DocumentEndpoint } from './documents.ts';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { defaultHttpLimits, type HttpLimits } from './limits.ts';
import { newPipeline, type Pipeline } from './pipeline.ts';
import type { Connector } from './proxy/connector.ts';
import { newRequestMetrics } from './request-metrics.ts';
import { definitionOf } from './resource-call.ts';

/** PEM texts. */
export interface TlsFiles {
  readonly key: string;
  /** With its chain. */
  readonly cert: string;
  /** Signs client certificates. Absent: no client certificate is known. */
  readonly clientCa?: string | undefined;
}

export interface ApiHttpServerOptions {
  readonly handler: ResourceHandler;
  readonly tls: TlsFiles;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes a free one. @default 0 */
  readonly port?: number;
  /** More addresses to listen on, at the same port. @default none */
  readonly moreHosts?: readonly string[];
  /** Beside client certificates, which are always tried first. @default none */
  readonly authenticators?: readonly Authenticator[];
  /** @default members of `system:masters` may do everything, others nothing */
  readonly authorizer?: Authorizer;
  /** Paths that may be asked for without credentials, if the authorizer allows; health and version may always. @default none */
  readonly anonymousPaths?: readonly string[];
  /** @default none */
  readonly connectors?: readonly Connector[];
  /** Discovery, OpenAPI and the like. @default none */
  readonly documents?: readonly DocumentEndpoint[];
  /** Shown by healthz, livez and readyz alike. @default ping */
  readonly healthChecks?: readonly HealthCheck[];
  readonly version: VersionInfo;
  /** Those left out have their defaults. */
  readonly limits?: Partial<HttpLimits>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  /** Shown at `/metrics`; the server adds its own. One registry serves one server. @default a registry with the process' metrics */
  readonly metrics?: MetricsRegistry;
}

/** The HTTPS face of an API server: HTTP/1.1 and HTTP/2 on one port. */
export interface ApiHttpServer {
  /** Resolves when connections are accepted. @throws the operating system's error, as `EADDRINUSE`; then it listens nowhere. */
  listen(): Promise<{ readonly port: number; readonly url: string }>;
  /** New connections get this identity; open ones keep theirs. */
  replaceTls(tls: TlsFiles): void;
  /** Ends watches, lets other requests finish for a while, then cuts what is left. Idempotent. */
  close(): Promise<void>;
}

export function newApiHttpServer(options: ApiHttpServerOptions): ApiHttpServer {
  const context = contextOf(options);
  const pipeline = newPipeline(context);
  const server = newTlsServer(options.tls, context, pipeline);
  const connections = trackConnections(server, context.limits.keepAliveMs);
  const doors: Server[] = [];
  let closing: Promise<void> | undefined;
  const shutDown = async (): Promise<void> => {
    const closed = Promise.all([server, ...doors].map((door) => new Promise<void>((resolve) => door.close(() => resolve()))));
    await atMost(context.clock, context.limits.shutdownGraceMs, pipeline.drain());
    connections.finish();
    await atMost(
      context.clock,
      flushMs,
      closed.then(() => undefined),
    );
    connections.cut();
    context.agents.http.destroy();
    context.agents.https.destroy();
    await closed;
  };
  const close = (): Promise<void> => {
    closing ??= server.listening ? shutDown() : Promise.resolve();
    return closing;
  };
  return {
    async listen() {
      const address = await listen(server, options.host ?? '127.0.0.1', options.port ?? 0);
      try {
        for (const host of options.moreHosts ?? []) doors.push(await newDoor(server, host, address.port));
      } catch (error) {
        await close();
        throw error;
      }
      return address;
    },
    replaceTls: (tls) => server.setSecureContext(secureContextOf(tls)),
    close,
  };
}

/** How long the last bytes may take to reach their clients at the end. */
const flushMs = 500;

async function atMost(clock: Clock, delayMs: number, work: Promise<void>): Promise<void> {
  const enough = new AbortController();
  const given = clock.sleep(delayMs, enough.signal).catch(() => undefined); // Rejects when the work was faster.
  await Promise.race([work, given]);
  enough.abort();
}

function contextOf(options: ApiHttpServerOptions): ServerContext {
  const clock = options.clock ?? realClock;
  const registry = options.metrics ?? newMetricsRegistry();
  if (options.metrics === undefined) addProcessMetrics(registry, clock);
  return {
    handler: options.handler,
    authenticators: [newCertificateAuthenticator(clock), ...(options.authenticators ?? [])],
    authorizer: options.authorizer ?? newMastersAuthorizer(),
    anonymousPaths: new Set(options.anonymousPaths),
    connectors: options.connectors ?? [],
    agents: { http: new Agent({ keepAlive: true }), https: new TlsAgent({ keepAlive: true, ALPNProtocols: ['http/1.1'] }) },
    documents: options.documents ?? [],
    healthChecks: options.healthChecks ?? [pingCheck],
    version: options.version,
    protobuf: protobufCodec,
    limits: { ...defaultHttpLimits, ...options.limits },
    clock,
    random: options.random ?? systemRandom,
    log: options.log ?? silentLogger,
    registry,
    metrics: newRequestMetrics(registry, (info) => definitionOf(options.handler, info) !== undefined),
  };
}

const secureContextOf = ({ key, cert, clientCa }: TlsFiles) => ({ key, cert, ...(clientCa === undefined ? {} : { ca: clientCa }) });

/** Idle connections are probed after this: a machine that vanished does not say so. */
const tcpKeepAliveMs = 30_000;
/** Longest wait for a TLS handshake. */
const handshakeTimeoutMs = 10_000;

function newTlsServer(tls: TlsFiles, context: ServerContext, pipeline: Pipeline): Http2SecureServer {
  const { limits, log } = context;
  const server = createSecureServer({
    ...secureContextOf(tls),
    allowHTTP1: true,
    requestCert: tls.clientCa !== undefined,
    rejectUnauthorized: false, // Tokens come without a certificate; a certificate that does not verify gets a 401.
    handshakeTimeout: handshakeTimeoutMs,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: tcpKeepAliveMs,
    settings: { maxConcurrentStreams: limits.streamsPerConnectionMax, maxHeaderListSize: limits.headerBytesMax },
  });
  // The HTTP/1 side reads these from the server object.
  Object.assign(server, {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: 0, // Bodies have the deadline of their request; proxied ones have none.
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: limits.headerBytesMax,
    maxConnections: limits.connectionsMax,
    connectionsCheckingInterval: Math.min(5_000, limits.headersTimeoutMs),
  });
  const lastAnswers: LastAnswers = new WeakMap();
  server.on('request', (request, response) => {
    if (request.httpVersionMajor === 1) lastAnswers.set(request.socket, response as unknown as ServerResponse);
    pipeline.serve(request as unknown as HttpRequest, response as unknown as HttpResponse);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const upgrade = (): void => serveUpgrade(pipeline, request, socket, head);
    const last = lastAnswers.get(socket);
    // A client may ask for the next thing before the last answer has left: the socket belongs to that answer until then.
    if (last === undefined || last.writableFinished) upgrade();
    else last.once('finish', upgrade);
  });
  server.on('clientError', refuseMalformed);
  server.on('sessionError', (error) => log.debug('HTTP/2 session failed', { error }));
  server.on('tlsClientError', (error) => log.debug('TLS handshake failed', { error }));
  return server;
}

/** The newest answer on each HTTP/1 connection. */
type LastAnswers = WeakMap<object, ServerResponse>;

/** An upgrade request has no answer object of its own; a refusal needs one. */
function serveUpgrade(pipeline: Pipeline, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  (socket as Socket).allowHalfOpen = true; // A tunnel's client may end its side first; no other's may: it would look alive for ever.
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.once('finish', () => socket.end());
  pipeline.serve(request as unknown as HttpRequest, response as unknown as HttpResponse, { socket, head });
}

/** What Node's parser refuses never becomes a request; its client gets a Status all the same. */
function refuseMalformed(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const code = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const text = STATUS_CODES[code] ?? 'Bad Request';
  const body = JSON.stringify(new StatusError('BadRequest', text, undefined, { code }).toStatus());
  socket.end(
    `HTTP/1.1 ${code} ${text}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

/** A listener whose connections are `server`'s. It ends together with the process or when it is closed. */
function newDoor(server: Http2SecureServer, host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const door = createServer((socket) => server.emit('connection', socket));
    door.once('error', reject);
    door.listen({ host, port, backlog: 1024 }, () => {
      door.removeListener('error', reject);
      resolve(door);
    });
  });
}

function listen(server: Http2SecureServer, host: string, port: number): Promise<{ readonly port: number; readonly url: string }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.removeListener('error', reject);
      const bound = (server.address() as AddressInfo).port;
      resolve({ port: bound, url: `https://${host.includes(':') ? `[${host}]` : host}:${bound}` });
    });
  });
}
