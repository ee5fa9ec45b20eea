import { apiVersionOf, type KubeObject, qualifiedResource, type Resource } from '@orrery/apimachinery';
import type { DiscoveredApi, Discovery, HandlerRegistration, Informer, InformerFactory } from '@orrery/client';
import type { Logger } from '@orrery/component';
import { sameOwners } from './object-access.ts';
import type { OwnerGraph } from './owner-graph.ts';

export interface ResourceMonitorsOptions {
  readonly discovery: Discovery;
  /** For built-in resources, which never go away. */
  readonly informers: InformerFactory;
  /** For custom resources: their informers end with them. Run by nobody else. */
  readonly customInformers: InformerFactory;
  readonly graph: OwnerGraph;
  readonly log: Logger;
}

/** One informer for every resource that can be collected, as discovery has them. */
export interface ResourceMonitors {
  /** Starts monitors of resources that are new, ends those of resources that are gone. */
  sync(signal: AbortSignal): Promise<void>;
  /** Resolves when every informer has synced; rejects with the signal's reason when that comes first. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /** Ends them all. */
  stop(): Promise<void>;
}

interface Monitor {
  readonly informer: Informer<KubeObject>;
  readonly registration: HandlerRegistration;
  readonly stop: AbortController;
  readonly running: Promise<void>;
}

/** Told by nobody and owned by nobody, but many. Source: garbagecollector.ignoredResources. */
const ignored = new Set(['events', 'events.events.k8s.io']);
const neededVerbs = ['delete', 'list', 'watch'];

export function newResourceMonitors({ discovery, informers, customInformers, graph, log }: ResourceMonitorsOptions): ResourceMonitors {
  const monitors = new Map<string, Monitor>(); // By `apiVersion resource`.
  let synced: DiscoveredApi | undefined;

  const known = new Map<string, Informer<KubeObject>>(); // Of custom resources, those that are gone too: they may come back.
  const informerOf = (resource: Resource): Informer<KubeObject> => {
    if (!isCustom(resource)) return informers.informer(resource);
    const key = `${apiVersionOf(resource)} ${resource.resource}`;
    const informer = known.get(key) ?? customInformers.informer(resource, { transform: metadataOnly });
    known.set(key, informer);
    return informer;
  };

  const start = (resource: Resource): Monitor => {
    const informer = informerOf(resource);
    const kind = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    const registration = informer.addHandler({
      onAdd: (object) => graph.observe(kind, object, undefined),
      onUpdate(old, object) {
        if (isOfInterest(old, object)) graph.observe(kind, object, old);
      },
      onDelete: (object) => graph.remove(kind, object),
    });
    const stop = new AbortController();
    return { informer, registration, stop, running: informer.run(stop.signal) };
  };

  const end = async ({ registration, stop, running }: Monitor): Promise<void> => {
    registration.remove();
    stop.abort();
    await running;
  };

  return {
    async sync(signal) {
      const api = await discovery.read(signal);
      if (api === synced) return;
      const wanted = new Map(monitorable(api).map((resource) => [`${apiVersionOf(resource)} ${resource.resource}`, resource]));
      if (wanted.size === 0) return; // A server that serves nothing is not to be believed.
      for (const [key, resource] of wanted) if (!monitors.has(key)) monitors.set(key, start(resource));
      for (const [key, monitor] of monitors) {
        const [apiVersion = ''] = key.split(' ', 1);
        if (wanted.has(key) || api.failures.has(apiVersion)) continue;
        monitors.delete(key);
        await end(monitor);
      }
      synced = api;
      log.debug('resources are monitored', { resources: [...wanted.values()].map(qualifiedResource) });
    },

    async waitForSync(signal) {
      await Promise.all([...monitors.values()].map(({ informer }) => informer.waitForSync(signal)));
    },

    async stop() {
      const all = [...monitors.values()];
      monitors.clear();
      synced = undefined;
      await Promise.all(all.map(end));
    },
  };
}

const monitorable = ({ resources }: DiscoveredApi): readonly Resource[] =>
  resources.filter(
    (resource) =>
      resource.preferred && !ignored.has(qualifiedResource(resource)) && neededVerbs.every((verb) => resource.verbs.includes(verb)),
  );

const builtInGroups = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);
const isCustom = ({ group }: Resource): boolean => !builtInGroups.has(group);

/** What the graph reads. */
const metadataOnly = ({ apiVersion, kind, metadata }: KubeObject): KubeObject => ({ apiVersion, kind, metadata });

/** Most updates change nothing that the graph knows. */
function isOfInterest({ metadata: old }: KubeObject, { metadata }: KubeObject): boolean {
  const { finalizers: before = [], ownerReferences: ownersBefore = [] } = old;
  const { finalizers = [], ownerReferences = [] } = metadata;
  return (
    old.deletionTimestamp !== metadata.deletionTimestamp ||
    before.length !== finalizers.length ||
    before.some((finalizer, index) => finalizer !== finalizers[index]) ||
    !sameOwners(ownersBefore, ownerReferences)
  );
}
