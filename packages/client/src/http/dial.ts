import { isIP } from 'node:net';
import type { TLSSocket, ConnectionOptions as TlsOptions } from 'node:tls';
import { type Clock, timeoutSignal } from '@orrery/base';
import { ConnectionError } from './connection.ts';

/** Whom to trust, and who we are. PEM texts. */
export interface TlsCredentials {
  /** @default the system's authorities */
  readonly ca?: string | Buffer | undefined;
  /** Client certificate, with its key. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** Name that the server's certificate must carry. @default the host of the URL */
  readonly serverName?: string | undefined;
  /** Believes any certificate. For tests and first contacts only. @default false */
  readonly insecureSkipTlsVerify?: boolean | undefined;
}

export function tlsOptionsOf(url: URL, { ca, cert, key, serverName, insecureSkipTlsVerify }: TlsCredentials): TlsOptions {
  const host = hostOf(url);
  const name = serverName ?? host;
  return {
    host,
    port: Number(url.port || 443),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(isIP(name) === 0 ? { servername: name } : {}), // Addresses have no place in SNI.
    rejectUnauthorized: insecureSkipTlsVerify !== true,
  };
}

/** The host without the brackets that URLs put around IPv6 addresses. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** Connects with TLS. Rejects with a {@link ConnectionError} that says nothing was sent. */
export async function dialTls(options: TlsOptions, timeoutMs: number, clock: Clock): Promise<TLSSocket> {
  const tls = await import('node:tls');
  using timeout = timeoutSignal(clock, timeoutMs, `no connection within ${timeoutMs} ms`);
  return new Promise((resolve, reject) => {
    const socket = tls.connect(options);
    const fail = (cause: Error): void => {
      socket.destroy();
      reject(new ConnectionError(cause.message, { cause, stage: 'connecting' }));
    };
    timeout.signal.addEventListener('abort', () => fail(timeout.signal.reason), { once: true });
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
