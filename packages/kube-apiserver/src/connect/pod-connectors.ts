import { pods } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { newBadRequest } from '@orrery/apimachinery';
import type { Connector, ConnectRequest, ConnectTarget } from '@orrery/apiserver';
import { logOptionsOf, logQuery } from './log-options.ts';
import { type ConnectContext, kubeletOf } from './node-connection.ts';
import { addressOf, containerOf, firstPortOf, nodeOf, podPath } from './pod-location.ts';
import { proxyMethods, rewriteBase } from './proxy.ts';
import { parseSchemeNamePort } from './scheme-name-port.ts';
import { streamQuery } from './stream-query.ts';

const own = { group: '', version: 'v1', resource: 'pods' } as const;

const podOf = (
  context: ConnectContext,
  { namespace, name }: Pick<ConnectRequest, 'namespace' | 'name'>,
  signal: AbortSignal,
): Promise<Pod> => context.client.get(pods, { namespace, name }, { signal });

/** Logs, exec, attach and port-forward through the pod's node agent, and the proxy straight to the pod. */
export function podConnectors(context: ConnectContext): readonly Connector[] {
  return [
    {
      ...own,
      subresource: 'log',
      methods: ['GET'],
      async connect(request, signal) {
        const options = logOptionsOf(request.query, request.name);
        const pod = await podOf(context, request, signal);
        const container = containerOf(pod, options.container);
        const kubelet = await kubeletOf(context, nodeOf(pod), signal);
        return { ...kubelet, path: `${podPath('containerLogs', pod, container)}?${logQuery(options)}`, errors: 'status' };
      },
    },
    streamConnector(context, 'exec'),
    streamConnector(context, 'attach'),
    {
      ...own,
      subresource: 'portforward',
      methods: ['GET', 'POST'],
      async connect(request, signal) {
        const pod = await podOf(context, request, signal);
        const kubelet = await kubeletOf(context, nodeOf(pod), signal);
        const ports = request.query.getAll('ports').flatMap((text) => text.split(','));
        const query = ports.length === 0 ? '' : `?${new URLSearchParams({ port: ports.join(',') })}`;
        return { ...kubelet, path: `${podPath('portForward', pod)}${query}`, errors: 'status' };
      },
    },
    { ...own, subresource: 'proxy', methods: proxyMethods, connect: (request, signal) => connectPod(context, request, signal) },
  ];
}

function streamConnector(context: ConnectContext, action: 'exec' | 'attach'): Connector {
  return {
    ...own,
    subresource: action,
    methods: ['GET', 'POST'],
    async connect(request, signal) {
      const pod = await podOf(context, request, signal);
      const container = containerOf(pod, request.query.get('container') ?? '');
      const kubelet = await kubeletOf(context, nodeOf(pod), signal);
      const query = streamQuery(request.query, action);
      return { ...kubelet, path: `${podPath(action, pod, container)}${query === '' ? '' : `?${query}`}`, errors: 'status' };
    },
  };
}

/** Source: pod.ResourceLocation. */
async function connectPod(context: ConnectContext, request: ConnectRequest, signal: AbortSignal): Promise<ConnectTarget> {
  const target = parseSchemeNamePort(request.name);
  if (target === undefined) throw newBadRequest(`invalid pod request ${JSON.stringify(request.name)}`);
  const pod = await podOf(context, { namespace: request.namespace, name: target.name }, signal);
  const protocol = target.scheme === 'https' ? 'https' : 'http';
  const port = target.port === '' ? firstPortOf(pod) : target.port;
  const number = port === '' ? (protocol === 'https' ? 443 : 80) : Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw newBadRequest(`invalid pod request ${JSON.stringify(request.name)}`);
  return {
    protocol,
    host: addressOf(pod),
    port: number,
    path: withQuery(request),
    ...(protocol === 'https' ? { tls: { rejectUnauthorized: false } } : {}),
    rewriteBelow: rewriteBase(request, 'pods'),
  };
}

const withQuery = ({ path, rawQuery }: ConnectRequest): string => (rawQuery === '' || path === '' ? path : `${path}?${rawQuery}`);
