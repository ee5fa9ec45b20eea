import { ipAddresses, services } from '@orrery/api';
import type { Service } from '@orrery/api/core/v1';
import type { IPAddress } from '@orrery/api/networking/v1';
import { isAlreadyExists, isConflict, isNotFound } from '@orrery/apimachinery';
import type { Client } from '@orrery/client';
import type { Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';

const MANAGED_BY_LABEL = 'ipaddress.kubernetes.io/managed-by';
const FAMILY_LABEL = 'ipaddress.kubernetes.io/ip-family';
const ALLOCATOR = 'ipallocator.k8s.io';
/** So long an address may be without its Service: it is written first. Source: repairip.gracePeriod. */
const GRACE_MS = 60_000;
const ipIndex = 'service-address-repair/ip';

/** The addresses that a Service has for itself. */
export const addressesOf = ({ spec }: Service): readonly string[] => (spec.clusterIPs ?? []).filter((ip) => ip !== '' && ip !== 'None');

/** Addresses that a Service was seen to give up: they need no grace. Each is asked for once. */
export interface Released {
  add(ips: readonly string[]): void;
  take(ip: string): boolean;
}

export function newReleased(): Released {
  const ips = new Set<string>();
  return {
    add: (more) => {
      for (const ip of more) ips.add(ip);
    },
    take: (ip) => ips.delete(ip),
  };
}

/** Source: repairip.RepairIPAddress. */
export function newServiceAddressReconciler(context: ControllerContext, released: Released): Reconciler {
  const { client, informers, clock, recorderFor } = context;
  const addressLister = informers.informer(ipAddresses).lister;
  const serviceLister = informers.informer(services, { indexers: { [ipIndex]: addressesOf } }).lister;
  const recorder = recorderFor('ipallocator-repair-controller');

  const add = async (ip: string, service: Service): Promise<void> => {
    if ((await live(client, ip)) !== undefined) return; // Only our cache is late.
    const { namespace = '', name } = service.metadata;
    const family = ip.includes(':') ? 'IPv6' : 'IPv4';
    recorder.event(service, 'Warning', 'ClusterIPNotAllocated', `Cluster IP [${family}]: ${ip} is not allocated; repairing`);
    try {
      await client.create(ipAddresses, {
        metadata: { name: ip, labels: { [FAMILY_LABEL]: family, [MANAGED_BY_LABEL]: ALLOCATOR } },
        spec: { parentRef: { group: '', resource: 'services', namespace, name } },
      });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  };

  const remove = async (entry: IPAddress): Promise<{ requeueAfterMs?: number }> => {
    const { name: ip, uid, resourceVersion, creationTimestamp } = entry.metadata;
    const { namespace = '', name } = entry.spec.parentRef;
    if (await has(client, { namespace, name }, ip)) return {};
    const leftMs = Date.parse(creationTimestamp) + GRACE_MS - clock.now();
    const isReleased = released.take(ip);
    if (!isReleased && leftMs > 0) return { requeueAfterMs: leftMs };
    if (!isReleased) {
      const message = `IPAddress: ${ip} for Service ${namespace}/${name} appears to have leaked: cleaning up`;
      recorder.event(entry, 'Warning', 'IPAddressNotAllocated', message);
    }
    try {
      await client.delete(ipAddresses, { name: ip }, { preconditions: { uid, resourceVersion } });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error; // Somebody else has it by now.
    }
    return {};
  };

  return {
    async reconcile({ name: ip }) {
      const [service] = serviceLister.byIndex(ipIndex, ip);
      const entry = addressLister.get(ip);
      if (service !== undefined && entry === undefined) await add(ip, service);
      const isOurs = entry?.metadata.labels?.[MANAGED_BY_LABEL] === ALLOCATOR && entry.spec.parentRef.resource === 'services';
      if (entry === undefined) released.take(ip);
      return service === undefined && entry !== undefined && isOurs ? remove(entry) : {};
    },
  };
}

async function live(client: Client, ip: string): Promise<IPAddress | undefined> {
  try {
    return await client.get(ipAddresses, { name: ip });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Whether the Service has the address, by the server's own word. */
async function has(client: Client, key: { namespace: string; name: string }, ip: string): Promise<boolean> {
  try {
    return addressesOf(await client.get(services, key)).includes(ip);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
