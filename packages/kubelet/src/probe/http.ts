import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Container, HTTPGetAction } from '@orrery/api/core/v1';

export interface HttpTarget {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly location: string | undefined;
  /** The first bytes of the body. */
  readonly body: string;
}

const BODY_BYTES_MAX = 10 * 1024;

/** @throws {Error} when the port's name is not one of the container's. Source: probe.ResolveContainerPort. */
export function resolvePort(port: number | string, container: Container): number {
  if (typeof port === 'number') return check(port);
  const named = (container.ports ?? []).find(({ name }) => name === port)?.containerPort;
  return check(named ?? Number(port), port);
}

function check(port: number, name?: string): number {
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Error(name === undefined ? `invalid port number: ${port}` : `couldn't find port: ${name} in container ports`);
}

const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

/** @param userAgent - Unless the action sets its own. */
export function httpTarget(action: HTTPGetAction, container: Container, podIp: string, userAgent: string): HttpTarget {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const host = action.host === undefined || action.host === '' ? podIp : action.host;
  const path = action.path === undefined || action.path === '' ? '/' : action.path;
  const headers: Record<string, string> = { 'user-agent': userAgent, accept: '*/*' };
  for (const { name, value } of action.httpHeaders ?? []) {
    const key = name.toLowerCase();
    if (value === '' && (key === 'accept' || key === 'user-agent')) delete headers[key];
    else headers[key] = value;
  }
  const slashed = path.startsWith('/') ? path : `/${path}`;
  return { url: new URL(`${scheme}://${bracketed(host)}:${resolvePort(action.port, container)}${slashed}`), headers };
}

function firstBytes(response: IncomingMessage, done: (body: string) => void): void {
  const parts: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    parts.push(chunk);
    length += chunk.length;
    if (length >= BODY_BYTES_MAX) finish();
  });
  const finish = (): void => {
    response.destroy();
    done(Buffer.concat(parts).subarray(0, BODY_BYTES_MAX).toString());
  };
  response.on('end', finish);
  response.on('error', finish); // The status has come: a body that breaks off does not change it.
}

/** One GET on a connection of its own. Certificates are not verified, as upstream does not. */
export function httpGet({ url, headers }: HttpTarget, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const options = { headers, agent: false as const, signal, rejectUnauthorized: false };
    const onResponse = (response: IncomingMessage): void =>
      firstBytes(response, (body) => resolve({ status: response.statusCode ?? 0, location: response.headers.location, body }));
    const request: ClientRequest =
      url.protocol === 'https:' ? httpsRequest(url, options, onResponse) : httpRequest(url, options, onResponse);
    request.on('error', reject);
    request.end();
  });
}
