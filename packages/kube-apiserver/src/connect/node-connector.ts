import { newBadRequest } from '@orrery/apimachinery';
import type { Connector } from '@orrery/apiserver';
import { type ConnectContext, kubeletOf } from './node-connection.ts';
import { proxyMethods } from './proxy.ts';
import { parseSchemeNamePort } from './scheme-name-port.ts';

/** `nodes/proxy`: to the node agent, or to another port of the node. Source: node.ResourceLocation. */
export function nodeConnector(context: ConnectContext): Connector {
  return {
    group: '',
    version: 'v1',
    resource: 'nodes',
    subresource: 'proxy',
    methods: proxyMethods,
    async connect(request, signal) {
      const target = parseSchemeNamePort(request.name);
      if (target === undefined) throw newBadRequest(`invalid node request ${JSON.stringify(request.name)}`);
      const kubelet = await kubeletOf(context, target.name, signal);
      const path = request.rawQuery === '' || request.path === '' ? request.path : `${request.path}?${request.rawQuery}`;
      const rewriteBelow = `/api/v1/nodes/${request.name}/proxy`;
      if (target.port === '' || Number(target.port) === kubelet.port) return { ...kubelet, path, rewriteBelow };
      const port = Number(target.port);
      if (!Number.isInteger(port) || port < 1 || port > 65_535) throw newBadRequest(`invalid node request ${JSON.stringify(request.name)}`);
      const protocol = target.scheme === 'https' ? 'https' : 'http';
      const tls = protocol === 'https' ? { tls: { rejectUnauthorized: false } } : {};
      return { protocol, host: kubelet.host, port, ...tls, path, rewriteBelow };
    },
  };
}
