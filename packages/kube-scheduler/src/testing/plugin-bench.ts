import type { Namespace, Node, Pod } from '@orrery/api/core/v1';
import type { PodDisruptionBudget } from '@orrery/api/policy/v1';
import type { ParsedLabelSelector } from '@orrery/apimachinery';
import { newSeededRandom, newVirtualClock } from '@orrery/base';
import { silentEventRecorder } from '@orrery/client';
import { silentLogger } from '@orrery/component';
import { SchedulerCache } from '../cache/cache.ts';
import { podInfoOf } from '../cache/pod-info.ts';
import { Snapshot } from '../cache/snapshot.ts';
import type { ProfileConfig } from '../config.ts';
import { CycleState } from '../framework/cycle-state.ts';
import { Nominator } from '../framework/nominator.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import type { Profile } from '../framework/profile.ts';
import type { Status } from '../framework/status.ts';
import type { VolumeView } from '../framework/volumes.ts';
import { WaitingPods } from '../framework/waiting-pods.ts';
import { newProfiles } from '../scheduling/profiles.ts';
import { newScriptedCluster } from './scripted-cluster.ts';

/** A cluster that stands still, to ask one profile's plugins about one pod. Test code only. */
export interface PluginBench {
  readonly cache: SchedulerCache;
  readonly snapshot: Snapshot;
  readonly nominator: Nominator;
  readonly profile: Profile;
  /** Reasons by node; nodes that fit have `''`. A rejection before the filters is under `*`. */
  filter(pod: Pod): Readonly<Record<string, string>>;
  statuses(pod: Pod): { readonly state: CycleState; readonly byNode: ReadonlyMap<string, Status>; readonly outright: Status | undefined };
  /** Weighted sums of the profile's scores by node. */
  score(pod: Pod): Readonly<Record<string, number>>;
}

export interface PluginBenchOptions {
  readonly nodes: readonly Node[];
  readonly pods?: readonly Pod[];
  readonly namespaces?: readonly Pick<Namespace, 'metadata'>[];
  /** Plugins under test; queue order and binder are added. @default the default profile */
  readonly plugins?: readonly { readonly name: string; readonly weight?: number }[];
  readonly pluginConfig?: ProfileConfig['pluginConfig'];
  /** Claims, volumes and classes. @default none */
  readonly volumes?: Partial<VolumeView>;
  readonly siblings?: ParsedLabelSelector;
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly outOfTree?: Readonly<Record<string, PluginFactory>>;
}

export function newPluginBench(options: PluginBenchOptions): PluginBench {
  const { nodes, pods = [], namespaces = [], plugins, pluginConfig = {}, siblings, budgets = [], outOfTree = {} } = options;
  const cache = new SchedulerCache();
  for (const node of nodes) cache.setNode(node);
  for (const pod of pods) cache.setPod(podInfoOf(pod), pod.spec.nodeName ?? '');
  const snapshot = new Snapshot(cache);
  snapshot.update();
  const clock = newVirtualClock();
  const nominator = new Nominator();
  const labels = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels]));
  const shared = {
    client: newScriptedCluster().client,
    clock,
    random: newSeededRandom(1),
    log: silentLogger,
    events: silentEventRecorder,
    cluster: snapshot,
    nominator,
    waiting: new WaitingPods(clock),
    pods: { get: () => undefined },
    volumes: { claim: () => undefined, volume: () => undefined, volumes: () => [], storageClass: () => undefined, ...options.volumes },
    namespaceLabels: (name: string) => labels.get(name),
    siblings: () => siblings,
    disruptionBudgets: () => budgets,
    activate() {},
  };
  const chosen =
    plugins === undefined ? {} : { disabled: ['*'], enabled: [{ name: 'PrioritySort' }, { name: 'DefaultBinder' }, ...plugins] };
  const [running] = newProfiles([{ ...chosen, pluginConfig }], shared, outOfTree).values();
  if (running === undefined) throw new Error('no profile');
  const { profile } = running;

  const statuses: PluginBench['statuses'] = (pod) => {
    const state = new CycleState();
    const info = podInfoOf(pod);
    const before = profile.preFilter(state, info, snapshot);
    const byNode = new Map<string, Status>();
    if (before.rejection !== undefined) return { state, byNode, outright: before.rejection.status };
    for (const node of snapshot.nodes) {
      if (before.nodeNames?.has(node.name) === false)
        byNode.set(node.name, { code: 'UnschedulableAndUnresolvable', reasons: ['not among the named'] });
      const status = profile.fits(state, info, node);
      if (status !== undefined) byNode.set(node.name, status);
    }
    return { state, byNode, outright: undefined };
  };

  return {
    cache,
    snapshot,
    nominator,
    profile,
    statuses,
    filter(pod) {
      const { byNode, outright } = statuses(pod);
      if (outright !== undefined) return { '*': outright.reasons.join(', ') };
      return Object.fromEntries(snapshot.nodes.map(({ name }) => [name, byNode.get(name)?.reasons.join(', ') ?? '']));
    },
    score(pod) {
      const { state } = statuses(pod);
      const scores = profile.score(state, podInfoOf(pod), snapshot.nodes, snapshot);
      return Object.fromEntries(snapshot.nodes.map(({ name }, at) => [name, scores[at] ?? 0]));
    },
  };
}
