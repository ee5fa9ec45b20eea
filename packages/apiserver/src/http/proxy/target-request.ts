import { type Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest, type Agent as TlsAgent } from 'node:https';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { OutgoingHeaders } from '../exchange.ts';
import type { ConnectTarget } from './connector.ts';

/** Connections to targets that are kept for the next request. */
export interface TargetAgents {
  readonly http: Agent;
  readonly https: TlsAgent;
}

const tlsOptionsOf = ({ tls }: ConnectTarget) => ({
  ...(tls?.ca === undefined ? {} : { ca: typeof tls.ca === 'string' ? tls.ca : [...tls.ca] }),
  ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
  ...(tls?.key === undefined ? {} : { key: tls.key }),
  ...(tls?.servername === undefined ? {} : { servername: tls.servername }),
  rejectUnauthorized: tls?.rejectUnauthorized ?? true,
});

/** A plain request. Its body is the caller's to write. */
export function requestTo(target: ConnectTarget, method: string, headers: OutgoingHeaders, agents: TargetAgents): ClientRequest {
  const common = { host: target.host, port: target.port, path: target.path, method, headers };
  if (target.protocol === 'http') return httpRequest({ ...common, agent: agents.http });
  return httpsRequest({ ...common, ...tlsOptionsOf(target), agent: agents.https });
}

/** An upgrade request on a connection of its own, whose sides end independently. */
export function upgradeTo(target: ConnectTarget, method: string, headers: OutgoingHeaders): ClientRequest {
  const { host, port } = target;
  const secure: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
    host,
    port,
    ...tlsOptionsOf(target),
    ALPNProtocols: ['http/1.1'],
    allowHalfOpen: true,
  };
  const createConnection = (): Duplex =>
    target.protocol === 'http' ? connectTcp({ host, port, allowHalfOpen: true, noDelay: true }) : connectTls(secure);
  return httpRequest({ host, port, path: target.path, method, headers, createConnection: createConnection as never });
}
