import { endpointSlices, namespaces, services } from '@orrery/api';
import { aborted, type Clock, deferred, newDisposer, type Random, sharedSignal } from '@orrery/base';
import type { Client, Informer, InformerFactory } from '@orrery/client';
import { type Logger, type MetricsRegistry, silentLogger } from '@orrery/component';
import { keepAnnounced } from './announcement.ts';
import { newAuthority } from './authority.ts';
import { newForwarder } from './forward/forwarder.ts';
import { type Upstream, upstreamsFromFile } from './forward/resolv-conf.ts';
import { newDnsMetrics } from './metrics.ts';
import { newResolver } from './resolver.ts';
import type { ListenAddress } from './server/listen-address.ts';
import { listen } from './server/listeners.ts';
import { parseByteRange } from './wire/address.ts';
import { newClusterZone } from './zone/cluster-zone.ts';
import { newServiceIndex, type ServiceIndex } from './zone/service-index.ts';

export interface ClusterDnsOptions {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  /** @default silent */
  readonly log?: Logger;
  /** @default none */
  readonly metrics?: MetricsRegistry;
  /** @default 'cluster.local' */
  readonly domain?: string;
  /** Where to listen, over UDP and TCP. The first one is announced. */
  readonly listen: readonly ListenAddress[];
  /** Who is asked about other names: servers, or a resolv.conf(5) that is read again when it is 5 s old. Our own addresses are left out. */
  readonly upstreams: readonly Upstream[] | { readonly file: string };
  /** The ranges of Services and pods: no other server is asked about their reverse names. @default none */
  readonly ownRanges?: readonly string[];
  readonly nodeName: string;
  /** Absent: no objects are written, and whoever runs this says where it is. */
  readonly announce?: { readonly serviceIp: string };
  /** How long clients may keep answers of the cluster's zone, in seconds. @default 5, as CoreDNS's plugin */
  readonly ttl?: number;
}

/** The DNS server of one node. */
export interface ClusterDns {
  /** Answers until `signal` aborts, then resolves. Rejects when an address cannot be listened on. Call it once. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when it listens, knows the cluster's state and is announced. Rejects as `run` does, or with the signal's reason. */
  readonly ready: Promise<void>;
  /** Where it listens; empty before. */
  addresses(): readonly ListenAddress[];
}

const TTL_SECONDS = 5;

export function newClusterDns(options: ClusterDnsOptions): ClusterDns {
  const { client, informers, clock, random, log = silentLogger, nodeName, announce, ttl = TTL_SECONDS } = options;
  const domain = (options.domain ?? 'cluster.local').toLowerCase().replace(/\.$/, '');
  const ready = deferred<void>();
  ready.promise.catch(() => undefined); // Whoever does not wait for it hears of it from `run`.
  let bound: readonly ListenAddress[] = [];

  const index = newServiceIndex(domain, ttl);
  const sources = [informers.informer(services), informers.informer(endpointSlices), informers.informer(namespaces)] as const;
  let serial = Math.floor(clock.now() / 1000);
  const changed = (): void => {
    serial = Math.max(serial, Math.floor(clock.now() / 1000));
  };
  const forwarder = newForwarder({ clock, random, upstreams: upstreamsOf(options) });
  const authority = newAuthority({
    domain,
    zone: newClusterZone({
      zone: domain,
      ttl,
      services: index,
      hasNamespace: (name) => sources[2].lister.get(name) !== undefined,
      serverAddresses: announce === undefined ? options.listen.map(({ address }) => address) : [announce.serviceIp],
    }),
    namesOf: index.namesOf,
    ownRanges: (options.ownRanges ?? []).map(parseByteRange),
    random,
    ttl,
    negativeTtl: Math.min(ttl, TTL_SECONDS),
    hasSynced: newLatch(() => sources.every((source) => source.hasSynced())),
    serial: () => serial,
  });
  const resolver = newResolver({
    authority,
    forwarder,
    ...(options.metrics && { onResponse: newDnsMetrics(options.metrics).responded }),
  });

  const serve = async (signal: AbortSignal): Promise<void> => {
    await using disposer = newDisposer();
    disposer.defer(() => forwarder.close());
    for (const where of options.listen) {
      const listener = await listen(where, resolver, clock, (error) => log.error('DNS listener failed', { ...where, error }));
      disposer.defer(() => listener.close());
      bound = [...bound, { address: listener.address, port: listener.port }];
    }
    for (const registration of follow(sources, index, changed)) disposer.use(registration);
    const running: Promise<void>[] = sources.map((source: Pick<Informer<never>, 'run'>) => source.run(signal));
    const synced = Promise.all(sources.map((source: Pick<Informer<never>, 'waitForSync'>) => source.waitForSync(signal)));
    const [endpoint] = bound;
    if (announce === undefined || endpoint === undefined) synced.then(() => ready.resolve(), ready.reject);
    else {
      const onAnnounced = (): void => void synced.then(() => ready.resolve(), ready.reject);
      running.push(
        keepAnnounced({ client, informers, clock, log, signal, nodeName, endpoint, serviceIp: announce.serviceIp, onAnnounced }),
      );
    }
    await aborted(signal);
    ready.reject(signal.reason);
    await Promise.all([...running, synced.catch(() => undefined)]);
  };

  return {
    ready: ready.promise,
    addresses: () => bound,
    async run(signal) {
      sharedSignal(signal);
      try {
        await serve(signal);
      } catch (error) {
        ready.reject(error);
        throw error;
      }
    },
  };
}

/** Once true, it is not asked again. */
function newLatch(test: () => boolean): () => boolean {
  let passed = false;
  return () => {
    passed ||= test();
    return passed;
  };
}

type Sources = readonly [
  Informer<Parameters<ServiceIndex['putService']>[0]>,
  Informer<Parameters<ServiceIndex['putSlice']>[0]>,
  Informer<never>,
];

function follow(
  [serviceInformer, sliceInformer]: readonly [Sources[0], Sources[1], unknown],
  index: ServiceIndex,
  changed: () => void,
): Disposable[] {
  const both =
    <T>(act: (object: T) => void) =>
    (object: T): void => {
      act(object);
      changed();
    };
  const putService = both(index.putService);
  const putSlice = both(index.putSlice);
  return [
    serviceInformer.addHandler({ onAdd: putService, onUpdate: (_, service) => putService(service), onDelete: both(index.removeService) }),
    sliceInformer.addHandler({
      onAdd: putSlice,
      onUpdate(old, slice) {
        // A slice that was given to another service leaves the first.
        if (old.metadata.labels !== slice.metadata.labels) index.removeSlice(old);
        putSlice(slice);
      },
      onDelete: both(index.removeSlice),
    }),
  ];
}

function upstreamsOf({ upstreams, listen: own, announce, clock }: ClusterDnsOptions): () => Promise<readonly Upstream[]> {
  const except = [
    ...own.filter(({ port }) => port === 53).map(({ address }) => address),
    ...(announce === undefined ? [] : [announce.serviceIp]),
  ];
  if ('file' in upstreams) return upstreamsFromFile(upstreams.file, except, clock);
  const others = upstreams.filter(({ address, port = 53 }) => port !== 53 || !except.includes(address));
  return async () => others;
}
