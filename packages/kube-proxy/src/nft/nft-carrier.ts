import { type Logger, silentLogger } from '@orrery/component';
import type { Carrier } from '../carrier.ts';
import { newConntrackCleaner } from '../conntrack/conntrack-cleaner.ts';
import { type Machine, newMachine } from '../machine.ts';
import { type Family, familyOf, familyOfCidr } from '../model/addresses.ts';
import type { KubeProxyOptions } from '../options.ts';
import type { ServiceTracker } from '../service-tracker.ts';
import { dialects } from './dialect.ts';
import { allowLocalhostRouting, bridgesFilter } from './environment.ts';
import { newNft } from './nft.ts';
import { newNftBackend, tableName } from './nft-backend.ts';
import { routeServices } from './service-routes.ts';

/** Between two looks at what others may have changed on the machine. */
const LOOK_MS = 5000;
/** Looks between two questions whether the tables are still there: somebody may have flushed them all. */
const LOOKS_PER_TABLE_CHECK = 6;

/** What the machine is like when the tables are written. */
interface Environment {
  readonly bridgesFilter: boolean;
  readonly localhost: boolean;
}

/** Mode nftables with everything around it: sysctls, the route to Services, connection tracking. */
export function newNftCarrier(options: KubeProxyOptions, families: readonly Family[], tracker: Pick<ServiceTracker, 'node'>): Carrier {
  const { instanceId, clusterCidrs = [], serviceCidrs = [], log = silentLogger } = options;
  const machine = newMachine(options.netns);
  const nodeIps = [...new Set([...options.nodeAddresses, '127.0.0.1'])];
  let written: Environment = { bridgesFilter: false, localhost: false };
  const podCidrs = (): readonly string[] => tracker.node()?.spec?.podCIDRs ?? clusterCidrs;
  const backend = newNftBackend({
    instanceId,
    families,
    clusterCidrs,
    nft: newNft(machine),
    skeletonOf: (family) => ({
      nodeIps: nodeIps.filter((ip) => familyOf(ip) === family && (written.localhost || ip !== '127.0.0.1')),
      serviceCidrs: ofFamily(serviceCidrs, family),
      bridgedCidrs: written.bridgesFilter ? [] : ofFamily(podCidrs(), family),
      localhost: written.localhost && family === 'IPv4',
    }),
  });
  const conntrack = newConntrackCleaner(machine, nodeIps, log);
  const router = newRouter(machine, options, log);

  return {
    backend: {
      ...backend,
      async replaceAll(services, signal) {
        written = { bridgesFilter: await bridgesFilter(machine), localhost: await allowLocalhostRouting(machine) };
        if (!written.localhost) log.warn('sysctl net.ipv4.conf.all.route_localnet cannot be set: node ports do not answer at 127.0.0.1');
        await router.route();
        await backend.replaceAll(services, signal);
      },
    },
    onSynced: (changes, signal) => conntrack.clean(changes, signal),
    async keep(loop, signal) {
      for (let look = 1; !signal.aborted; look++) {
        await options.clock.sleep(LOOK_MS, signal).catch(() => undefined); // Aborted: the loop ends.
        if (signal.aborted) return;
        await router.route();
        const changed = (await bridgesFilter(machine)) !== written.bridgesFilter;
        if (changed || (look % LOOKS_PER_TABLE_CHECK === 0 && !(await tablesStand(machine, instanceId, families)))) loop.resync();
      }
    },
  };
}

const ofFamily = (cidrs: readonly string[], family: Family): readonly string[] => cidrs.filter((cidr) => familyOfCidr(cidr) === family);

async function tablesStand(machine: Machine, instanceId: string, families: readonly Family[]): Promise<boolean> {
  for (const family of families) {
    const { code } = await machine.run('nft', ['list', 'chain', dialects[family].ip, tableName(instanceId), 'nat-prerouting']);
    if (code !== 0) return false;
  }
  return true;
}

/** Keeps the routes to Services; an address that is not there yet is waited for. */
function newRouter(machine: Machine, { instanceId, serviceCidrs = [], nodeAddresses }: KubeProxyOptions, log: Logger) {
  let complaint = '';
  return {
    async route(): Promise<void> {
      try {
        for (const cidr of serviceCidrs) {
          const source = nodeAddresses.find((ip) => familyOf(ip) === familyOfCidr(cidr));
          await routeServices(machine, instanceId, cidr, source);
        }
        complaint = '';
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        if (text !== complaint) log.warn('no route to Services from this machine yet', { error: text });
        complaint = text;
      }
    },
  };
}
