import { endpoints, services } from '@orrery/api';
import type { EndpointSubset } from '@orrery/api/core/v1';
import { newBadRequest, StatusError } from '@orrery/apimachinery';
import type { Connector, ConnectRequest, ConnectTarget } from '@orrery/apiserver';
import type { Random } from '@orrery/base';
import type { ConnectContext } from './node-connection.ts';
import { proxyMethods, rewriteBase } from './proxy.ts';
import { parseSchemeNamePort, type SchemeNamePort } from './scheme-name-port.ts';

/** `services/proxy`: to any ready endpoint. */
export function serviceConnector(context: ConnectContext, random: Random): Connector {
  return {
    group: '',
    version: 'v1',
    resource: 'services',
    subresource: 'proxy',
    methods: proxyMethods,
    connect: (request, signal) => connectService(context, random, request, signal),
  };
}

const unavailable = (message: string): StatusError => new StatusError('ServiceUnavailable', message);

/** Source: service ResourceLocation. @throws StatusError ServiceUnavailable when nothing answers for the port. */
async function connectService(
  context: ConnectContext,
  random: Random,
  request: ConnectRequest,
  signal: AbortSignal,
): Promise<ConnectTarget> {
  const target = parseSchemeNamePort(request.name);
  if (target === undefined) throw newBadRequest(`invalid service request ${JSON.stringify(request.name)}`);
  const key = { namespace: request.namespace, name: target.name };
  const portName = await portNameOf(context, key, target, signal);
  const { subsets = [] } = await context.client.get(endpoints, key, { signal });
  if (subsets.length === 0) throw unavailable(`no endpoints available for service ${JSON.stringify(target.name)}`);
  const candidates = subsets.flatMap((subset) => addressesFor(subset, portName));
  const chosen = candidates[random.integer(Math.max(1, candidates.length))];
  if (chosen === undefined) throw unavailable(`no endpoints available for service ${JSON.stringify(request.name)}`);
  const protocol = target.scheme === 'https' ? 'https' : 'http';
  const { path, rawQuery } = request;
  return {
    protocol,
    ...chosen,
    path: rawQuery === '' || path === '' ? path : `${path}?${rawQuery}`,
    ...(protocol === 'https' ? { tls: { rejectUnauthorized: false } } : {}),
    rewriteBelow: rewriteBase(request, 'services'),
  };
}

/** A port number stands for the name that the Service gives it. */
async function portNameOf(
  { client }: ConnectContext,
  key: { readonly namespace: string | undefined; readonly name: string },
  { port, name }: SchemeNamePort,
  signal: AbortSignal,
): Promise<string> {
  if (!/^\d+$/.test(port)) return port;
  const { spec } = await client.get(services, key, { signal });
  const found = (spec.ports ?? []).find((candidate) => candidate.port === Number(port));
  if (found === undefined) throw unavailable(`no service port ${Number(port)} found for service ${JSON.stringify(name)}`);
  return found.name ?? '';
}

function addressesFor({ addresses = [], ports = [] }: EndpointSubset, name: string): { readonly host: string; readonly port: number }[] {
  return ports.filter((port) => (port.name ?? '') === name).flatMap(({ port }) => addresses.map(({ ip }) => ({ host: ip, port })));
}
