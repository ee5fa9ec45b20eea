import { endpointSlices, services } from '@orrery/api';
import type { KubeObject } from '@orrery/apimachinery';
import { abortable, backoffDelayMs, type Clock, type Deferred, deferred } from '@orrery/base';
import type { Handler, InformerFactory } from '@orrery/client';
import type { Logger } from '@orrery/component';
import { ensureKubeDns, KUBE_DNS, type KubeDnsOptions, kubeDnsSliceName } from './kube-dns.ts';

export interface AnnouncementOptions extends Omit<KubeDnsOptions, 'signal'> {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called when the Service and the slice stand for the first time. */
  readonly onAnnounced: () => void;
}

/** Between two looks for the Node, which a new machine has not made yet. */
const NODE_WAIT_MS = 1000;
const RETRY = { baseDelayMs: 100, maxDelayMs: 10_000 };

/** Keeps the Service and this node's slice in place until `signal` aborts: whoever deletes or changes them gets them back. Never rejects. */
export async function keepAnnounced(options: AnnouncementOptions): Promise<void> {
  const { informers, clock, log, signal, onAnnounced, nodeName } = options;
  let disturbed: Deferred<void> = deferred();
  const disturb = (): void => disturbed.resolve();
  const registrations = [
    informers.informer(services).addHandler(watching(KUBE_DNS.name, disturb)),
    informers.informer(endpointSlices).addHandler(watching(kubeDnsSliceName(nodeName), disturb)),
  ];
  let failures = 0;
  while (!signal.aborted) {
    disturbed = deferred();
    try {
      const isOwned = await ensureKubeDns(options);
      failures = 0;
      onAnnounced();
      const changed = disturbed.promise;
      await abortable(isOwned ? changed : Promise.race([changed, clock.sleep(NODE_WAIT_MS, signal)]), signal);
    } catch (error) {
      if (signal.aborted) break;
      failures += 1;
      log.warn('cannot announce the DNS service; retrying', { error });
      await clock.sleep(backoffDelayMs(failures, RETRY), signal).catch(() => undefined);
    }
  }
  for (const registration of registrations) registration.remove();
}

/** Our own writes wake us once more; that finds nothing to do. */
function watching<T extends KubeObject>(name: string, wake: () => void): Handler<T> {
  const ours = ({ metadata }: KubeObject): boolean => metadata.name === name && metadata.namespace === KUBE_DNS.namespace;
  return {
    onUpdate: (_, object) => ours(object) && wake(),
    onDelete: (object) => ours(object) && wake(),
  };
}
