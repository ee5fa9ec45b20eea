import type { Node, Toleration } from '@orrery/api/core/v1';
import { action } from '../../framework/cluster-event.ts';
import { newStateKey } from '../../framework/cycle-state.ts';
import type { Plugin } from '../../framework/plugin.ts';
import { skip, unresolvable } from '../../framework/status.ts';
import { normalize } from '../normalize.ts';
import { isTolerated, untoleratedTaint } from './tolerations.ts';

/** Without the taint since 1.34: it may be nobody's business. */
export const TAINT_REASON = 'node(s) had untolerated taint(s)';
const rejected = unresolvable(TAINT_REASON);
const preferences = newStateKey<{ readonly tolerations: readonly Toleration[] }>('TaintToleration');

/** Rejects nodes with taints that the pod does not tolerate; prefers those with fewer `PreferNoSchedule` taints. */
export function newTaintToleration(): Plugin {
  return {
    name: 'TaintToleration',
    eventsToRegister: () => [
      {
        resource: 'Node',
        actions: action.add | action.updateNodeTaint,
        hint: ({ pod }, _old, node) => untoleratedTaint((node as Node).spec?.taints ?? [], pod.spec.tolerations) === undefined,
      },
      { resource: 'TargetPod', actions: action.updatePodToleration },
    ],
    filter(_state, { pod }, { taints }) {
      if (taints.length === 0) return undefined;
      return untoleratedTaint(taints, pod.spec.tolerations) === undefined ? undefined : rejected;
    },
    preScore(state, { pod }, nodes) {
      // Without such taints all nodes are equal.
      if (!nodes.some(({ taints }) => taints.some(({ effect }) => effect === 'PreferNoSchedule'))) return skip;
      const about = ({ effect = '' }: Toleration): boolean => effect === '' || effect === 'PreferNoSchedule';
      state.write(preferences, { tolerations: (pod.spec.tolerations ?? []).filter(about) });
      return undefined;
    },
    score(state, _pod, { taints }) {
      const { tolerations } = state.read(preferences) ?? { tolerations: [] };
      return taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !isTolerated(taint, tolerations)).length;
    },
    normalizeScores: (_state, _pod, scores) => normalize(scores, true),
  };
}
