import type { TopologySpreadConstraint } from '@orrery/api/core/v1';
import type { PodInfo } from '../../cache/pod-info.ts';
import { action, type ClusterEventWithHint } from '../../framework/cluster-event.ts';
import { newStateKey } from '../../framework/cycle-state.ts';
import type { PluginFactory } from '../../framework/plugin.ts';
import { skip, unresolvable, unschedulable } from '../../framework/status.ts';
import { type Constraint, constraintsOf, type Unsatisfiable } from './constraint.ts';
import { HardSpread } from './hard-spread.ts';
import { SoftSpread } from './soft-spread.ts';

export const SPREAD_REASON = "node(s) didn't match pod topology spread constraints";
export const SPREAD_LABEL_REASON = `${SPREAD_REASON} (missing required label)`;
const tooMuch = unschedulable(SPREAD_REASON);
const outside = unresolvable(SPREAD_LABEL_REASON);

/** For pods without constraints of their own. Source: systemDefaultConstraints. */
export const systemDefaultConstraints: readonly TopologySpreadConstraint[] = [
  { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
];

const hard = newStateKey<HardSpread>('PodTopologySpread/hard');
const soft = newStateKey<SoftSpread>('PodTopologySpread/soft');

/** Spreads pods over the values of a node label. Args: `defaultingType` (`System` or `List`) with `defaultConstraints`. */
export const newPodTopologySpread: PluginFactory = (handle, args) => {
  const isSystem = (args['defaultingType'] ?? 'System') === 'System';
  const defaults = isSystem ? systemDefaultConstraints : ((args['defaultConstraints'] ?? []) as readonly TopologySpreadConstraint[]);
  const constraintsFor = (info: PodInfo, wanted: Unsatisfiable): readonly Constraint[] => {
    const own = info.pod.spec.topologySpreadConstraints ?? [];
    if (own.length > 0) return constraintsOf(info.pod, wanted, own);
    if (!defaults.some(({ whenUnsatisfiable }) => whenUnsatisfiable === wanted)) return [];
    const selector = handle.siblings(info);
    if (selector === undefined) return [];
    return constraintsOf(info.pod, wanted, defaults).map((constraint) => ({ ...constraint, selector }));
  };
  return {
    name: 'PodTopologySpread',
    eventsToRegister: () => eventsOf((pod) => constraintsFor(pod, 'DoNotSchedule')),
    preFilter(state, pod, cluster) {
      const constraints = constraintsFor(pod, 'DoNotSchedule');
      if (constraints.length === 0) return skip;
      state.write(hard, HardSpread.of(pod, constraints, cluster));
      return undefined;
    },
    addPod: (state, _pod, other, node) => state.read(hard)?.change(other, node, 1),
    removePod: (state, _pod, other, node) => state.read(hard)?.change(other, node, -1),
    filter(state, _pod, node) {
      const spread = state.read(hard);
      if (spread === undefined) return undefined;
      if (spread.isOutside(node)) return outside;
      return spread.isTooMuch(node) ? tooMuch : undefined;
    },
    preScore(state, pod, nodes, cluster) {
      const constraints = constraintsFor(pod, 'ScheduleAnyway');
      if (constraints.length === 0) return skip;
      // System defaults serve clusters whose nodes have no zone, too.
      const needsKeys = !isSystem || (pod.pod.spec.topologySpreadConstraints ?? []).length > 0;
      state.write(soft, new SoftSpread(pod, constraints, nodes, cluster, needsKeys));
      return undefined;
    },
    score: (state, _pod, node) => state.read(soft)?.score(node) ?? 0,
    normalizeScores: (state, _pod, scores, nodes) => state.read(soft)?.normalize(scores, nodes),
  };
};

function eventsOf(constraintsOfPod: (pod: PodInfo) => readonly Constraint[]): readonly ClusterEventWithHint[] {
  const counts = (pod: PodInfo, other: PodInfo | undefined): boolean =>
    other !== undefined &&
    other.namespace === pod.namespace &&
    constraintsOfPod(pod).some(({ selector }) => selector.matches(other.labels));
  return [
    {
      resource: 'AssignedPod',
      actions: action.add | action.delete | action.updatePodLabel,
      // A pod that comes can raise the emptiest domain, one that goes can make room in a full one.
      hint: (pod, old, other) => counts(pod, old as PodInfo | undefined) || counts(pod, other as PodInfo | undefined),
    },
    { resource: 'Node', actions: action.add | action.delete | action.updateNodeLabel | action.updateNodeTaint },
    { resource: 'TargetPod', actions: action.updatePodLabel },
  ];
}
