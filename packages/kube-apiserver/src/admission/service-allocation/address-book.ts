import { ipAddresses, serviceCidrs, services } from '@orrery/api';
import type { Service } from '@orrery/api/core/v1';
import type { IPAddress, ServiceCIDR } from '@orrery/api/networking/v1';
import { invalid, isAlreadyExists, isNotFound, type NewObject, newInvalid } from '@orrery/apimachinery';
import { type Client, isConditionTrue } from '@orrery/client';
import { type AddressRange, familyOf, parseRange } from '../../registry/addresses.ts';

const IP_FAMILY_LABEL = 'ipaddress.kubernetes.io/ip-family';
export const IP_MANAGED_BY_LABEL = 'ipaddress.kubernetes.io/managed-by';
/** Value of the label on addresses that the API server made. */
export const IP_ALLOCATOR = 'ipallocator.k8s.io';

/** What the book is kept with. */
export type BookClient = Pick<Client, 'get' | 'list' | 'create' | 'delete'>;

interface Owner {
  readonly namespace: string;
  readonly name: string;
}

/** The IPAddress of a Service (KEP-1880). */
export const ipAddressOf = (ip: string, { namespace, name }: Owner): NewObject<IPAddress> => ({
  metadata: { name: ip, labels: { [IP_FAMILY_LABEL]: familyOf(ip) ?? '', [IP_MANAGED_BY_LABEL]: IP_ALLOCATOR } },
  spec: { parentRef: { group: '', resource: 'services', namespace, name } },
});

/** The addresses that a Service has for itself. */
export const addressesOf = ({ spec }: Service): readonly string[] => (spec.clusterIPs ?? []).filter((ip) => ip !== 'None' && ip !== '');

const isOwnedBy = ({ spec }: IPAddress, { namespace, name }: Owner): boolean => {
  const { group = '', resource, namespace: space, name: parent } = spec.parentRef;
  return group === '' && resource === 'services' && space === namespace && parent === name;
};

/** Undefined for a 404. */
async function found<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Ranges of ServiceCIDRs that may be used, beside those that the server was started with. */
export async function readyRanges(client: BookClient): Promise<readonly AddressRange[]> {
  const { items } = await client.list(serviceCidrs);
  return items.filter(isReady).flatMap(({ spec }) => (spec.cidrs ?? []).map(parseRange));
}

const isReady = ({ metadata, status }: ServiceCIDR): boolean =>
  metadata.deletionTimestamp === undefined && isConditionTrue(status?.conditions ?? [], 'Ready');

/** Whether somebody has the address. One whose Service let go of it is free: its object goes soon. */
export async function isHeld(client: BookClient, ip: string, owner: Owner): Promise<boolean> {
  const entry = await found(client.get(ipAddresses, { name: ip }));
  return entry !== undefined && !isOwnedBy(entry, owner) && !(await isAbandoned(client, entry));
}

async function isAbandoned(client: BookClient, { metadata, spec }: IPAddress): Promise<boolean> {
  if (metadata.labels?.[IP_MANAGED_BY_LABEL] !== IP_ALLOCATOR || spec.parentRef.resource !== 'services') return false;
  const { namespace = '', name } = spec.parentRef;
  const service = await found(client.get(services, { namespace, name }));
  return service === undefined || !addressesOf(service).includes(metadata.name);
}

/**
 * Writes the addresses of a Service that is about to be stored into the book: the write that nobody else can do too, also among several
 * API servers. What it leaves behind when the Service is not stored in the end the controller of addresses cleans up.
 * @throws StatusError Invalid when one has another owner.
 */
export async function bookAddresses(client: BookClient, service: Service, old: Service | undefined): Promise<void> {
  const { namespace = '', name } = service.metadata;
  const fresh = addressesOf(service).filter((ip) => old === undefined || !addressesOf(old).includes(ip));
  if (fresh.length === 0) return;
  // A create that will be refused, as the name is taken, books nothing.
  if (old === undefined && (await found(client.get(services, { namespace, name }))) !== undefined) return;
  for (const ip of fresh) await bookAddress(client, ip, { namespace, name }, service);
}

async function bookAddress(client: BookClient, ip: string, owner: Owner, service: Service): Promise<void> {
  if (await created(client, ip, owner)) return;
  const entry = await found(client.get(ipAddresses, { name: ip }));
  if (entry !== undefined && isOwnedBy(entry, owner)) return;
  if (entry === undefined || (await isAbandoned(client, entry))) {
    const { uid, resourceVersion } = entry?.metadata ?? {};
    if (uid !== undefined && resourceVersion !== undefined) {
      await found(client.delete(ipAddresses, { name: ip }, { preconditions: { uid, resourceVersion } }));
    }
    if (await created(client, ip, owner)) return;
  }
  const error = invalid('spec.clusterIPs', service.spec.clusterIPs, `failed to allocate IP ${ip}: provided IP is already allocated`);
  throw newInvalid({ group: '', kind: 'Service' }, owner.name, [error]);
}

async function created(client: BookClient, ip: string, owner: Owner): Promise<boolean> {
  try {
    await client.create(ipAddresses, ipAddressOf(ip, owner));
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}

/** Books what Services have from before there were books. For the start of a server. */
export async function bookExisting(client: BookClient): Promise<void> {
  const [{ items: stored }, { items: booked }] = await Promise.all([client.list(services), client.list(ipAddresses)]);
  const known = new Set(booked.map(({ metadata }) => metadata.name));
  for (const service of stored) {
    const { namespace = '', name } = service.metadata;
    for (const ip of addressesOf(service)) if (!known.has(ip)) await created(client, ip, { namespace, name });
  }
}
