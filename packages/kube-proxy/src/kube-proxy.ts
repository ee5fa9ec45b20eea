import { abortable, deferred, sharedSignal } from '@orrery/base';
import { silentLogger } from '@orrery/component';
import { type Family, familyOf } from './model/addresses.ts';
import { canUseNft } from './nft/nft.ts';
import { newNftCarrier } from './nft/nft-carrier.ts';
import type { KubeProxy, KubeProxyOptions, ProxyMode } from './options.ts';
import { newServiceTracker } from './service-tracker.ts';
import { SyncLoop } from './sync-loop.ts';
import { newUserspaceCarrier } from './userspace/userspace-carrier.ts';

/** The best mode that this process is allowed. */
export async function detectProxyMode(): Promise<ProxyMode> {
  return (await canUseNft()) ? 'nftables' : 'userspace';
}

export function newKubeProxy(options: KubeProxyOptions): KubeProxy {
  const { informers, nodeName, clock, log = silentLogger } = options;
  const families = familiesOf(options);
  const synced = deferred<void>();
  let loop: SyncLoop | undefined;
  const tracker = newServiceTracker({
    informers,
    nodeName,
    families,
    onChange: () => loop?.wake(),
    onPodCidrs: () => loop?.resync(),
  });

  return {
    waitForSync: (signal) => abortable(synced.promise, signal),
    async run(signal) {
      sharedSignal(signal);
      const carrier = options.mode === 'nftables' ? newNftCarrier(options, families, tracker) : newUserspaceCarrier(options, tracker);
      loop = new SyncLoop({
        tracker,
        backend: carrier.backend,
        clock,
        log,
        async onSynced(changes) {
          await carrier.onSynced(changes, signal);
          synced.resolve();
        },
      });
      const informing = tracker.run(signal);
      try {
        await tracker.waitForSync(signal);
        await Promise.all([loop.run(signal), carrier.keep(loop, signal)]);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        await informing;
        await carrier.backend.close();
        loop = undefined;
      }
    },
  };
}

/** The families of the node, and nothing else: a Service of another one cannot be reached here. */
function familiesOf({ nodeAddresses }: KubeProxyOptions): readonly Family[] {
  const families = new Set(nodeAddresses.map(familyOf).filter((family) => family !== undefined));
  return families.size === 0 ? ['IPv4'] : [...families];
}
