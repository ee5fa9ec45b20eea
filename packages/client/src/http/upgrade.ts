import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import type { UpgradedConnection } from '../transport.ts';
import { ConnectionError, outgoingHeaders, plainHeaders } from './connection.ts';
import { decodeError } from './decode.ts';
import { hostOf, type TlsCredentials, tlsOptionsOf } from './dial.ts';
import type { HttpRequest } from './http-request.ts';

/** Upgrades a connection of its own, over HTTP/1.1: WebSockets over HTTP/2 are spoken by few servers. */
export async function upgradeConnection(
  url: URL,
  credentials: TlsCredentials,
  request: HttpRequest,
  signal?: AbortSignal,
): Promise<UpgradedConnection> {
  const outgoing = await open(url, credentials, request);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      outgoing.destroy();
      reject(signal?.reason);
    };
    const done = (): void => signal?.removeEventListener('abort', onAbort);
    signal?.addEventListener('abort', onAbort, { once: true });
    outgoing.on('error', (cause) => {
      done();
      reject(new ConnectionError(cause.message, { cause, stage: 'sent' }));
    });
    outgoing.on('response', (incoming: IncomingMessage) => {
      done();
      refusal(incoming).then(reject, reject);
    });
    outgoing.on('upgrade', (incoming: IncomingMessage, stream: Duplex, head: Buffer) => {
      done();
      if (head.length > 0) stream.unshift(head);
      resolve({ stream, headers: plainHeaders(incoming.headers) });
    });
    if (signal?.aborted === true) onAbort();
    outgoing.end();
  });
}

async function open(url: URL, credentials: TlsCredentials, { method, path, headers }: HttpRequest): Promise<ClientRequest> {
  const common: RequestOptions = { method, path, headers: outgoingHeaders(headers), agent: false };
  if (url.protocol === 'http:') {
    const http = await import('node:http');
    return http.request({ ...common, host: hostOf(url), port: Number(url.port || 80) });
  }
  const https = await import('node:https');
  return https.request({ ...common, ...tlsOptionsOf(url, credentials) });
}

async function refusal(incoming: IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return decodeError(incoming.statusCode ?? 500, Buffer.concat(chunks).toString('utf8'));
}
