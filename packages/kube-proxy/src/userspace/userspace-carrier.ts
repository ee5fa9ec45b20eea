import { silentLogger } from '@orrery/component';
import type { ProxyChanges } from '../backend.ts';
import type { Carrier } from '../carrier.ts';
import { type Machine, newMachine } from '../machine.ts';
import { portTitle } from '../model/service-port.ts';
import type { KubeProxyOptions } from '../options.ts';
import type { ServiceTracker } from '../service-tracker.ts';
import { type Front, frontsOf } from './front.ts';
import type { Listener } from './listener.ts';
import { newLoopbackAddresses } from './loopback-addresses.ts';
import { listenTcp } from './tcp-listener.ts';
import { listenUdp } from './udp-listener.ts';

/** Between two attempts at what could not be served: the port may be free by then. */
const RETRY_MS = 10_000;

/** Mode userspace: this process listens for every Service, and carries the bytes. */
export function newUserspaceCarrier(
  options: Pick<KubeProxyOptions, 'clock' | 'random' | 'log' | 'events' | 'nodeAddresses' | 'nodeName'>,
  tracker: Pick<ServiceTracker, 'service'>,
  machine: Machine = newMachine(),
): Carrier {
  const { clock, log = silentLogger, events } = options;
  const nodeIps = [...new Set([...options.nodeAddresses, '127.0.0.1'])];
  const addresses = newLoopbackAddresses(machine);
  /** By key of the front. */
  const listeners = new Map<string, { readonly listener: Listener; readonly owner: string; readonly front: Front }>();
  /** Fronts by Service, those that could not be opened too. */
  const wanted = new Map<string, readonly Front[]>();
  const complained = new Set<string>();

  const open = (front: Front): Promise<Listener> => (front.protocol === 'UDP' ? listenUdp : listenTcp)(front, options);
  const listen = async (owner: string, front: Front): Promise<void> => {
    try {
      if (front.isVirtual) await addresses.claim(front.address);
      listeners.set(front.key, { listener: await open(front), owner, front });
      complained.delete(front.key);
    } catch (error) {
      if (front.isVirtual) await addresses.release(front.address);
      if (complained.has(front.key)) return;
      complained.add(front.key);
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('cannot serve a port of a Service', { service: portTitle(front.source), front: front.key, error: reason });
      const service = tracker.service(owner);
      const message = `node ${options.nodeName} cannot serve ${portTitle(front.source)} at ${front.key}: ${reason}`;
      if (service !== undefined) events?.event(service, 'Warning', 'FailedToServePort', message);
    }
  };
  const close = async (key: string): Promise<void> => {
    const known = listeners.get(key);
    listeners.delete(key);
    await known?.listener.close();
    if (known?.front.isVirtual === true) await addresses.release(known.front.address);
  };

  const change = async (changes: ProxyChanges): Promise<void> => {
    for (const [owner, ports] of changes) {
      const fronts = new Map(ports.flatMap((port) => frontsOf(port, nodeIps)).map((front) => [front.key, front] as const));
      for (const { key } of wanted.get(owner) ?? []) {
        if (fronts.has(key)) continue;
        complained.delete(key);
        if (listeners.get(key)?.owner === owner) await close(key);
      }
      if (fronts.size === 0) wanted.delete(owner);
      else wanted.set(owner, [...fronts.values()]);
      for (const front of fronts.values()) {
        const known = listeners.get(front.key);
        if (known === undefined) await listen(owner, front);
        else if (known.owner === owner) known.listener.update(front);
      }
    }
  };

  return {
    backend: {
      change,
      async replaceAll(services) {
        const gone = [...wanted.keys()].filter((key) => !services.has(key)).map((key) => [key, []] as const);
        await change(new Map([...gone, ...services]));
      },
      async close() {
        for (const key of [...listeners.keys()]) await close(key);
      },
    },
    async onSynced() {},
    async keep(loop, signal) {
      while (!signal.aborted) {
        await clock.sleep(RETRY_MS, signal).catch(() => undefined); // Aborted: the loop ends.
        if (complained.size > 0) loop.resync();
      }
    },
  };
}
