import { deployments, pods, replicaSets } from '@orrery/api';
import { formatTime, type KubeObject, type Resource } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import { type Client, newClient } from '@orrery/client';
import type { DashboardCluster } from '../feed/cluster.ts';
import { daemonSets, statefulSets } from '../feed/resources.ts';
import type { ViewStore } from '../feed/view-store.ts';
import type { Action, ActionResult, PodView, WorkloadKind, WorkloadView } from '../protocol.ts';

const REPLICAS_MAX = 100_000;

const scalable: Partial<Record<WorkloadKind, Resource>> = {
  Deployment: deployments as Resource<KubeObject>,
  ReplicaSet: replicaSets as Resource<KubeObject>,
  StatefulSet: statefulSets as Resource<KubeObject>,
};
const restartable: Partial<Record<WorkloadKind, Resource>> = {
  Deployment: deployments as Resource<KubeObject>,
  StatefulSet: statefulSets as Resource<KubeObject>,
  DaemonSet: daemonSets as Resource<KubeObject>,
};

/** An action whose fields have the right types; undefined for anything else. Names are not in it: ids stand for what the page was shown. */
export function readAction(text: string): Action | undefined {
  let given: Partial<Record<string, unknown>>;
  try {
    given = JSON.parse(text) as typeof given;
  } catch {
    return undefined;
  }
  if (typeof given !== 'object' || given === null) return undefined;
  const { action, cluster, id, replicas } = given;
  if (typeof cluster !== 'number') return undefined;
  if (action === 'stop') return { action, cluster };
  if (typeof id !== 'string') return undefined;
  if (action === 'restart' || action === 'delete') return { action, cluster, id };
  const whole = typeof replicas === 'number' && Number.isInteger(replicas) && replicas >= 0 && replicas <= REPLICAS_MAX;
  return action === 'scale' && whole ? { action, cluster, id, replicas } : undefined;
}

export interface ActionsOptions {
  readonly clusters: readonly DashboardCluster[];
  readonly store: ViewStore;
  readonly clock: Clock;
}

/** Does what the page asks, as the kubeconfig's user. Never rejects: what the cluster refuses is told. */
export function newActions({ clusters, store, clock }: ActionsOptions): (action: Action, signal: AbortSignal) => Promise<ActionResult> {
  const perform = async (action: Action, signal: AbortSignal): Promise<string> => {
    const cluster = clusters[action.cluster];
    if (cluster === undefined) throw new Error('there is no such cluster here');
    if (action.action === 'stop') {
      if (cluster.stop === undefined) throw new Error(`${cluster.name}: nothing that could be stopped as a whole`);
      await cluster.stop();
      return `${cluster.name}: stopped`;
    }
    const view = store.get(action.id);
    if (view === undefined || view.cluster !== action.cluster || view.kind === 'node') throw new Error('it is gone');
    const client = newClient(cluster.transport);
    if (view.kind === 'pod') {
      if (action.action !== 'delete') throw new Error('a pod can only be deleted; its owner makes another one');
      return deletePod(client, view, signal);
    }
    if (action.action === 'scale') return scale(client, view, action.replicas, signal);
    if (action.action === 'restart') return restart(client, view, formatTime(clock.now()), signal);
    throw new Error(`${view.type} ${view.name} can not be deleted here`);
  };
  return async (action, signal) => {
    try {
      return { ok: true, message: await perform(action, signal) };
    } catch (err) {
      return { ok: false, message: err instanceof Error ? err.message : String(err) };
    }
  };
}

async function deletePod(client: Client, { id, namespace, name }: PodView, signal: AbortSignal): Promise<string> {
  // A pod that came under the same name after the click is another one.
  const uid = id.slice(id.indexOf(':') + 1);
  await client.delete(pods, { namespace, name }, { preconditions: { uid }, signal });
  return `pod ${name} is being deleted`;
}

async function scale(client: Client, { type, namespace, name }: WorkloadView, replicas: number, signal: AbortSignal): Promise<string> {
  const resource = scalable[type];
  if (resource === undefined) throw new Error(`a ${type} has no number of replicas`);
  await client.patch(resource, { namespace, name }, 'merge', { spec: { replicas } }, { subresource: 'scale', signal });
  return `${type} ${name} is scaled to ${replicas}`;
}

/** As `kubectl rollout restart`: an annotation of the template makes a new revision. */
async function restart(client: Client, { type, namespace, name }: WorkloadView, at: string, signal: AbortSignal): Promise<string> {
  const resource = restartable[type];
  if (resource === undefined) throw new Error(`a ${type} can not be restarted as a whole; delete its pods`);
  const annotations = { 'kubectl.kubernetes.io/restartedAt': at };
  await client.patch(resource, { namespace, name }, 'strategic', { spec: { template: { metadata: { annotations } } } }, { signal });
  return `${type} ${name} restarts`;
}
