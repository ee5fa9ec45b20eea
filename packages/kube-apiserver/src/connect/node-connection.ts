import { nodes } from '@orrery/api';
import type { Node } from '@orrery/api/core/v1';
import { newInternalError } from '@orrery/apimachinery';
import type { ConnectTarget } from '@orrery/apiserver';
import type { Client } from '@orrery/client';

/** How the API server shows itself to node agents, and whom it trusts. PEM. */
export type KubeletTls = NonNullable<ConnectTarget['tls']>;

/** What every connector works with. */
export interface ConnectContext {
  readonly client: Pick<Client, 'get'>;
  readonly kubeletTls: KubeletTls;
}

/** Kinds of node address, the best first. */
const preferred = ['InternalIP', 'Hostname', 'InternalDNS', 'ExternalIP', 'ExternalDNS'];
const KUBELET_PORT = 10_250;

/** Where the agent of a node listens. @throws StatusError NotFound, or InternalError when the node has no address. */
export async function kubeletOf(
  context: ConnectContext,
  nodeName: string,
  signal: AbortSignal,
): Promise<Pick<ConnectTarget, 'protocol' | 'host' | 'port' | 'tls'>> {
  const node: Node = await context.client.get(nodes, { name: nodeName }, { signal });
  const addresses = node.status?.addresses ?? [];
  for (const type of preferred) {
    const address = addresses.find((candidate) => candidate.type === type)?.address;
    if (address) {
      const port = node.status.daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT;
      return { protocol: 'https', host: address, port, tls: context.kubeletTls };
    }
  }
  throw newInternalError(new Error(`no preferred addresses found; known addresses: [${addresses.map(({ type }) => type).join(' ')}]`));
}
