import { deployments, jobs, nodes, pods, replicaSets } from '@orrery/api';
import { isNotFound, type KubeObject, qualifiedResource, type Resource } from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/base';
import { type InformerFactoryOptions, newClient, newInformerFactory } from '@orrery/client';
import type { ClusterState, View } from '../protocol.ts';
import { daemonSetView, deploymentView, idOf, jobView, nodeView, podView, replicaSetView, statefulSetView } from '../view/views.ts';
import type { DashboardCluster } from './cluster.ts';
import { daemonSets, statefulSets } from './resources.ts';
import type { ViewStore } from './view-store.ts';

export interface ClusterFeedOptions {
  readonly index: number;
  readonly cluster: DashboardCluster;
  readonly store: ViewStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly onState: (state: ClusterState) => void;
}

/** Keeps the views of one cluster in the store. What the cluster does not let it see is named in its state; the rest is shown. */
export interface ClusterFeed {
  readonly state: ClusterState;
  /** Notes what a poll found out; tells when that changes the state. */
  note(found: Partial<Pick<ClusterState, 'reachable' | 'version' | 'metrics'>>): void;
  run(signal: AbortSignal): Promise<void>;
}

type Log = NonNullable<InformerFactoryOptions['log']>;

export function newClusterFeed({ index, cluster, store, clock, random, onState }: ClusterFeedOptions): ClusterFeed {
  /** By resource: why its list or watch fails now. */
  const failures = new Map<string, string>();
  let state: ClusterState = { reachable: true, version: '', problems: [], metrics: 'unknown' };
  const update = (found: Partial<ClusterState>): void => {
    const next = { ...state, ...found };
    if (JSON.stringify(next) === JSON.stringify(state)) return;
    state = next;
    onState(state);
  };
  const problems = (): string[] => [...failures].map(([resource, why]) => `${resource}: ${why}`);
  const log: Log = loggerOf((resource, why) => {
    failures.set(resource, why);
    update({ problems: problems() });
  });
  const informers = newInformerFactory(newClient(cluster.transport), { clock, random, log });
  const synced: (() => void)[] = [];

  const show = <T extends KubeObject>(resource: Resource<T>, view: (cluster: number, object: T) => View): void => {
    const scope = resource.namespaced ? { namespace: cluster.namespace, labelSelector: cluster.selector } : {};
    const informer = informers.informer(resource, { ...scope, transform: withoutManagedFields } as never);
    const set = (object: KubeObject): void => store.set(view(index, object as T));
    informer.addHandler({
      onAdd: set,
      onUpdate: (_old, object) => set(object),
      onDelete: ({ metadata }) => store.delete(idOf(index, metadata.uid)),
    });
    synced.push(() => informer.hasSynced() && failures.delete(qualifiedResource(resource)));
  };
  show(nodes, nodeView);
  show(pods, podView);
  show(deployments, deploymentView);
  show(replicaSets, replicaSetView);
  show(statefulSets, statefulSetView);
  show(daemonSets, daemonSetView);
  show(jobs, jobView);

  return {
    get state() {
      return state;
    },
    note(found) {
      // A watch that broke tells so once, and nothing when it is well again: an answer to a poll is the sign.
      if (found.reachable === true) for (const forget of synced) forget();
      update({ ...found, problems: problems() });
    },
    run: (signal) => informers.run(signal),
  };
}

/** Half of an object's bytes are records of who wrote which field: nobody here reads them. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _dropped, ...metadata } = object.metadata as T['metadata'] & { managedFields?: unknown };
  return { ...object, metadata };
}

/** What informers tell as warnings are lists and watches that fail and are tried again. */
function loggerOf(failed: (resource: string, why: string) => void): Log {
  const tell: Log['warn'] = (_message, fields = {}) => {
    const { resource, error } = fields as { readonly resource?: string; readonly error?: unknown };
    // Not served here: there is nothing to show and nothing wrong.
    if (!isNotFound(error)) failed(resource ?? 'cluster', error instanceof Error ? error.message : String(error));
  };
  const log: Log = { error: tell, warn: tell, info: () => undefined, debug: () => undefined, with: () => log, enabled: () => true };
  return log;
}
