import { endpointSlices, nodes, services } from '@orrery/api';
import type { Node, Service } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { keyOf } from '@orrery/apimachinery';
import type { InformerFactory } from '@orrery/client';
import type { Family } from './model/addresses.ts';
import { endpointsOf } from './model/endpoint.ts';
import { type ProxyPort, proxyPorts } from './model/service-port.ts';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const ZONE_LABEL = 'topology.kubernetes.io/zone';
const sliceIndex = 'kube-proxy/service';

/** Index function: slices by `namespace/service`. */
function byService({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[SERVICE_NAME_LABEL];
  return name === undefined ? undefined : `${metadata.namespace ?? ''}/${name}`;
}

export interface ServiceTrackerOptions {
  readonly informers: InformerFactory;
  readonly nodeName: string;
  readonly families: readonly Family[];
  /** A Service, its endpoints or the place of this node changed. */
  onChange(): void;
  /** The ranges of this node's pods changed. */
  onPodCidrs(): void;
}

/** Knows which Services have changed since they were last taken, and what they are now. */
export interface ServiceTracker {
  /** Keeps the informers running until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  waitForSync(signal: AbortSignal): Promise<void>;
  /** Keys of Services that changed, each once; none is told twice. */
  take(): readonly string[];
  /** Keys of all Services, the oldest first. */
  all(): readonly string[];
  service(key: string): Service | undefined;
  ports(key: string): readonly ProxyPort[];
  /** This node as the API shows it. */
  node(): Node | undefined;
}

export function newServiceTracker({ informers, nodeName, families, onChange, onPodCidrs }: ServiceTrackerOptions): ServiceTracker {
  const serviceInformer = informers.informer(services);
  const sliceInformer = informers.informer(endpointSlices, { indexers: { [sliceIndex]: byService } });
  const nodeInformer = informers.informer(nodes, { fieldSelector: `metadata.name=${nodeName}` });
  const all = [serviceInformer, sliceInformer, nodeInformer];
  let dirty = new Set<string>();
  let zone = '';
  let podCidrs = '';

  const mark = (key: string | undefined): void => {
    if (key === undefined) return;
    dirty.add(key);
    onChange();
  };
  const onSlice = (slice: EndpointSlice): void => mark(byService(slice));
  const onNode = (node: Node | undefined): void => {
    const cidrs = (node?.spec?.podCIDRs ?? []).join();
    if (cidrs !== podCidrs) onPodCidrs();
    podCidrs = cidrs;
    const now = node?.metadata.labels?.[ZONE_LABEL] ?? '';
    if (now === zone) return;
    zone = now;
    for (const service of serviceInformer.lister.list()) mark(keyOf(service));
  };
  const connect = () => [
    serviceInformer.addHandler({
      onAdd: (service) => mark(keyOf(service)),
      onUpdate: (_old, service) => mark(keyOf(service)),
      onDelete: (service) => mark(keyOf(service)),
    }),
    sliceInformer.addHandler({
      onAdd: onSlice,
      onUpdate(old, slice) {
        onSlice(old);
        onSlice(slice);
      },
      onDelete: onSlice,
    }),
    nodeInformer.addHandler({ onAdd: onNode, onUpdate: (_old, node) => onNode(node), onDelete: () => onNode(undefined) }),
  ];

  return {
    async run(signal) {
      const handlers = connect();
      await Promise.all(all.map((informer) => informer.run(signal)));
      for (const handler of handlers) handler.remove();
    },
    async waitForSync(signal) {
      await Promise.all(all.map((informer) => informer.waitForSync(signal)));
    },
    take() {
      const taken = [...dirty];
      dirty = new Set();
      return taken;
    },
    all: () => [...serviceInformer.lister.list()].sort(byAge).map((service) => keyOf(service)),
    service: (key) => serviceInformer.lister.get(key),
    ports(key) {
      const service = serviceInformer.lister.get(key);
      if (service === undefined) return [];
      const slices = sliceInformer.lister.byIndex(sliceIndex, key);
      return families.flatMap((family) => proxyPorts(service, family, endpointsOf(slices, family, nodeName), { nodeName, zone }));
    },
    node: () => nodeInformer.lister.get(nodeName),
  };
}

/** Who was first keeps an address that two ask for. */
function byAge(a: Service, b: Service): number {
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (first !== second) return first < second ? -1 : 1;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}
