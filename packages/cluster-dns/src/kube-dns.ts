import { isIPv6 } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { endpointSlices, nodes, services } from '@orrery/api';
import type { Service } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { isAlreadyExists, isNotFound, type NewObject, type OwnerReference } from '@orrery/apimachinery';
import type { Client } from '@orrery/client';
import type { ListenAddress } from './server/listen-address.ts';

export const KUBE_DNS = { namespace: 'kube-system', name: 'kube-dns' } as const;

export interface KubeDnsOptions {
  readonly client: Client;
  /** The cluster address under which pods ask, such as `10.96.0.10`. */
  readonly serviceIp: string;
  /** The node on which this server runs; the slice goes with it. */
  readonly nodeName: string;
  /** Where this server listens, as the node's pods reach it. */
  readonly endpoint: ListenAddress;
  readonly signal?: AbortSignal;
}

/** The name of the slice that a node's DNS server writes. */
export const kubeDnsSliceName = (nodeName: string): string => `${KUBE_DNS.name}-${nodeName}`;

/**
 * Makes the Service `kube-system/kube-dns`, under its upstream name and labels, and this node's EndpointSlice. `internalTrafficPolicy:
 * Local` makes every node ask its own server. A Service that is there already, whoever made it, is left as it is.
 *
 * @returns false while the Node does not exist: the slice is not owned by it yet, so this has to be called again.
 * @throws {StatusError} when the API refuses.
 */
export async function ensureKubeDns(options: KubeDnsOptions): Promise<boolean> {
  const { client, nodeName, signal } = options;
  await ensureService(options);
  const node = await client.get(nodes, { name: nodeName }, { signal }).catch(undefinedWhenNotFound);
  const owners = node === undefined ? [] : [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid }];
  await ensureSlice(options, sliceOf(options, owners));
  return node !== undefined;
}

function undefinedWhenNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

async function ensureService({ client, serviceIp, signal }: KubeDnsOptions): Promise<void> {
  try {
    await client.get(services, KUBE_DNS, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create(services, serviceOf(serviceIp), { signal }).catch(unlessItExists);
  }
}

async function ensureSlice({ client, signal }: KubeDnsOptions, wanted: NewObject<EndpointSlice>): Promise<void> {
  const { namespace } = KUBE_DNS;
  const name = wanted.metadata.name ?? '';
  try {
    const old = await client.get(endpointSlices, { namespace, name }, { signal });
    const { endpoints, ports, addressType } = wanted;
    const { labels, ownerReferences } = wanted.metadata;
    const metadata = { ...old.metadata, ...(labels && { labels }), ...(ownerReferences && { ownerReferences }) };
    const next: EndpointSlice = { ...old, metadata, addressType, ...(endpoints && { endpoints }), ...(ports && { ports }) };
    if (!isDeepStrictEqual(next, old)) await client.update(endpointSlices, next, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create(endpointSlices, wanted, { signal }).catch(unlessItExists);
  }
}

/** Other nodes do the same at the same time. */
function unlessItExists(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}

function serviceOf(clusterIP: string): NewObject<Service> {
  return {
    metadata: {
      ...KUBE_DNS,
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      internalTrafficPolicy: 'Local',
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
        { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
      ],
    },
  };
}

function sliceOf({ nodeName, endpoint }: KubeDnsOptions, owners: readonly OwnerReference[]): NewObject<EndpointSlice> {
  return {
    metadata: {
      namespace: KUBE_DNS.namespace,
      name: kubeDnsSliceName(nodeName),
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'cluster-dns',
        'k8s-app': 'kube-dns',
        'kubernetes.io/service-name': KUBE_DNS.name,
      },
      ...(owners.length > 0 && { ownerReferences: owners }),
    },
    addressType: isIPv6(endpoint.address) ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [endpoint.address], conditions: { ready: true, serving: true, terminating: false }, nodeName }],
    ports: [
      { name: 'dns', port: endpoint.port, protocol: 'UDP' },
      { name: 'dns-tcp', port: endpoint.port, protocol: 'TCP' },
    ],
  };
}
