import { endpointSlices, endpoints, namespaces, priorityClasses, serviceCidrs, services, storageClasses } from '@orrery/api';
import type { Service } from '@orrery/api/core/v1';
import { isAlreadyExists, isNotFound, type KubeObject, type Resource } from '@orrery/apimachinery';
import { type Client, isConditionTrue } from '@orrery/client';
import { bookExisting } from '../admission/service-allocation/address-book.ts';
import { DEFAULT_SERVICE_CIDR } from '../admission/service-allocation/service-allocation.ts';
import { familyOf, isProcessPodAddress, parseRange, specialAddressReason } from '../registry/addresses.ts';
import { systemPriorityClasses } from '../registry/scheduling/priorityclass/resource.ts';
import { defaultClassAnnotation } from '../registry/storage/storageclass/resource.ts';

export interface BootstrapOptions {
  /** The API server, as the system. */
  readonly client: Client;
  /** First range of Service addresses. Its first address is the API server's own. @default '10.96.0.0/12' */
  readonly serviceCidr?: string;
  /** Where pods reach the API server. Absent, or on loopback: the Service `kubernetes` is made, but has no endpoints. */
  readonly advertise?: { readonly address: string; readonly port: number };
}

const systemNamespaces = ['kube-system', 'kube-public', 'kube-node-lease', 'default'];
const API_SERVICE = { namespace: 'default', name: 'kubernetes' };
const HTTPS_PORT = 443;
const apiLabels = { component: 'apiserver', provider: 'kubernetes' };

/** Volumes of claims that name no class: a directory on the node of the first pod that uses it. */
const directoryClass = {
  metadata: { name: 'directory', annotations: { [defaultClassAnnotation]: 'true' } },
  provisioner: 'orrery.dev/directory',
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
};

/**
 * Makes what every cluster has from its first moment: namespaces, priority classes, and the Service through which pods reach the API.
 * May run again, and beside others: what is there stays, endpoints are brought up to date.
 */
export async function bootstrapObjects(options: BootstrapOptions): Promise<void> {
  const { client } = options;
  for (const name of systemNamespaces) await create(client, namespaces, { metadata: { name }, spec: {} });
  for (const { name, value, description } of systemPriorityClasses) {
    await create(client, priorityClasses, { metadata: { name }, value, description });
  }
  await create(client, storageClasses, directoryClass);
  await bootstrapServiceCidr(options);
  await bookExisting(client);
  await bootstrapService(options);
}

/** The range that the server was started with, ready at once. Source: defaultservicecidr.Controller. */
async function bootstrapServiceCidr({ client, serviceCidr = DEFAULT_SERVICE_CIDR }: BootstrapOptions): Promise<void> {
  const { name } = API_SERVICE;
  await create(client, serviceCidrs, { metadata: { name }, spec: { cidrs: [serviceCidr] } });
  const stored = await client.get(serviceCidrs, { name });
  if (isConditionTrue(stored.status?.conditions ?? [], 'Ready')) return;
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: '',
    message: 'Kubernetes default Service CIDR is ready',
    lastTransitionTime: stored.metadata.creationTimestamp,
  };
  await client.patch(serviceCidrs, { name }, 'merge', { status: { conditions: [ready] } }, { subresource: 'status' });
}

async function create<T extends KubeObject>(client: Client, resource: Resource<T>, object: object): Promise<void> {
  try {
    await client.create(resource, object as Parameters<typeof client.create<T>>[1]);
  } catch (err) {
    if (!isAlreadyExists(err)) throw err;
  }
}

async function bootstrapService({ client, serviceCidr = DEFAULT_SERVICE_CIDR, advertise }: BootstrapOptions): Promise<void> {
  const clusterIP = parseRange(serviceCidr).at(1n);
  const targetPort = advertise?.port ?? HTTPS_PORT;
  if ((await find(client)) === undefined) {
    await create(client, services, {
      metadata: { ...API_SERVICE, labels: apiLabels },
      spec: {
        type: 'ClusterIP',
        clusterIP,
        sessionAffinity: 'None',
        ports: [{ name: 'https', port: HTTPS_PORT, protocol: 'TCP', targetPort }],
      },
    });
  }
  if (advertise !== undefined && isReachable(advertise.address)) await bootstrapEndpoints(client, advertise);
}

const isReachable = (address: string): boolean => isProcessPodAddress(address) || specialAddressReason(address) === undefined;

async function find(client: Client): Promise<Service | undefined> {
  try {
    return await client.get(services, API_SERVICE);
  } catch (err) {
    if (isNotFound(err)) return undefined;
    throw err;
  }
}

async function bootstrapEndpoints(client: Client, { address, port }: NonNullable<BootstrapOptions['advertise']>): Promise<void> {
  await put(client, endpoints, {
    metadata: { ...API_SERVICE, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  });
  await put(client, endpointSlices, {
    metadata: { ...API_SERVICE, labels: { 'kubernetes.io/service-name': API_SERVICE.name } },
    addressType: familyOf(address) ?? 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  });
}

/** Creates, or replaces whatever is there: the API server alone knows its address. */
async function put<T extends KubeObject>(client: Client, resource: Resource<T>, object: object): Promise<void> {
  try {
    await client.create(resource, object as Parameters<typeof client.create<T>>[1]);
  } catch (err) {
    if (!isAlreadyExists(err)) throw err;
    await client.patch(resource, API_SERVICE, 'merge', object);
  }
}
