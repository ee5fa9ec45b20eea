import { abortable, deferred, sharedSignal } from '@orrery/base';
import { silentLogger } from '@orrery/component';
import type { Carrier } from './carrier.ts';
import { newProxyHealth, serveHealthz } from './health/proxy-health.ts';
import { newServiceHealth } from './health/service-health.ts';
import { type Family, familyOf } from './model/addresses.ts';
import { canUseNft } from './nft/nft.ts';
import { newNftCarrier } from './nft/nft-carrier.ts';
import type { KubeProxy, KubeProxyOptions, ProxyMode } from './options.ts';
import { newServiceTracker, type ServiceTracker } from './service-tracker.ts';
import { SyncLoop } from './sync-loop.ts';
import { newUserspaceCarrier } from './userspace/userspace-carrier.ts';

/** The best mode that this process is allowed. */
export async function detectProxyMode(): Promise<ProxyMode> {
  return (await canUseNft()) ? 'nftables' : 'userspace';
}

export function newKubeProxy(options: KubeProxyOptions): KubeProxy {
  const { informers, nodeName, clock, log = silentLogger } = options;
  const families = familiesOf(options);
  const health = newProxyHealth(clock);
  const synced = deferred<void>();
  let loop: SyncLoop | undefined;
  const tracker = newServiceTracker({
    informers,
    nodeName,
    families,
    onChange() {
      health.queued();
      loop?.wake();
    },
    onPodCidrs: () => loop?.resync(),
  });

  const checks = newServiceHealth({ nodeName, log, events: options.events, isProxyHealthy: () => health.isHealthy() });

  const serve = async (signal: AbortSignal, carrier: Carrier): Promise<void> => {
    loop = new SyncLoop({
      tracker,
      backend: carrier.backend,
      clock,
      log,
      async onSynced(changes) {
        health.updated();
        for (const [key, ports] of changes) await checks.update(key, tracker.service(key), ports);
        await carrier.onSynced(changes, signal);
        synced.resolve();
      },
    });
    await tracker.waitForSync(signal);
    await Promise.all([loop.run(signal), carrier.keep(loop, signal)]);
  };

  return {
    waitForSync: (signal) => abortable(synced.promise, signal),
    async run(signal) {
      sharedSignal(signal);
      const carrier = options.mode === 'nftables' ? newNftCarrier(options, families, tracker) : newUserspaceCarrier(options, tracker);
      const healthz = await startHealthz(options, health, tracker);
      const informing = tracker.run(signal);
      try {
        await serve(signal, carrier);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        loop = undefined;
        await informing;
        await carrier.backend.close();
        await checks.close();
        await healthz?.[Symbol.asyncDispose]();
      }
    },
  };
}

async function startHealthz(
  { healthzBind, clock, log = silentLogger }: KubeProxyOptions,
  health: ReturnType<typeof newProxyHealth>,
  tracker: ServiceTracker,
): Promise<AsyncDisposable | undefined> {
  if (healthzBind === undefined) return undefined;
  const node = () => ({
    isDeleting: tracker.node()?.metadata.deletionTimestamp !== undefined,
    taints: (tracker.node()?.spec?.taints ?? []).map(({ key }) => key),
  });
  try {
    return await serveHealthz({ bind: healthzBind, clock, health, node });
  } catch (error) {
    log.warn('cannot answer health checks of the proxy', { ...healthzBind, error });
    return undefined;
  }
}

/** The families of the node, and nothing else: a Service of another one cannot be reached here. */
function familiesOf({ nodeAddresses }: KubeProxyOptions): readonly Family[] {
  const families = new Set(nodeAddresses.map(familyOf).filter((family) => family !== undefined));
  return families.size === 0 ? ['IPv4'] : [...families];
}
