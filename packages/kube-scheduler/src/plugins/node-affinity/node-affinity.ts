import type { Node, NodeSelectorTerm } from '@orrery/api/core/v1';
import type { PodInfo } from '../../cache/pod-info.ts';
import { action } from '../../framework/cluster-event.ts';
import { newStateKey } from '../../framework/cycle-state.ts';
import type { Plugin } from '../../framework/plugin.ts';
import { skip, unresolvable } from '../../framework/status.ts';
import { normalize } from '../normalize.ts';
import { type NodeMatcher, namedNodes, requiredNodes, termMatcher } from './node-selector.ts';

export const NODE_AFFINITY_REASON = "node(s) didn't match Pod's node affinity/selector";
export const CONFLICT_REASON = 'pod affinity terms conflict';
const rejected = unresolvable(NODE_AFFINITY_REASON);
const required = newStateKey<{ readonly matches: NodeMatcher }>('NodeAffinity/required');
const preferred = newStateKey<{ readonly terms: readonly { readonly weight: number; readonly matches: NodeMatcher }[] }>(
  'NodeAffinity/preferred',
);

const isEmptyTerm = ({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): boolean =>
  matchExpressions.length === 0 && matchFields.length === 0;

const admits = ({ pod }: PodInfo, node: Node): boolean =>
  requiredNodes(pod)?.({ name: node.metadata.name, labels: node.metadata.labels ?? {} }) ?? true;

/** `nodeSelector` and node affinity: required terms reject, preferred terms score. */
export function newNodeAffinity(): Plugin {
  return {
    name: 'NodeAffinity',
    eventsToRegister: () => [
      { resource: 'Node', actions: action.add | action.updateNodeLabel, hint: (pod, _old, node) => admits(pod, node as Node) },
    ],
    preFilter(state, { pod }) {
      const matches = requiredNodes(pod);
      if (matches === undefined) return skip;
      state.write(required, { matches });
      const nodeNames = namedNodes(pod);
      if (nodeNames?.size === 0) return unresolvable(CONFLICT_REASON);
      return nodeNames === undefined ? undefined : { nodeNames };
    },
    filter(state, { pod }, node) {
      const matches = state.read(required)?.matches ?? requiredNodes(pod);
      return matches === undefined || matches(node) ? undefined : rejected;
    },
    preScore(state, { pod }) {
      const terms = (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
        .filter(({ weight, preference }) => weight !== 0 && !isEmptyTerm(preference))
        .map(({ weight, preference }) => ({ weight, matches: termMatcher(preference) }));
      if (terms.length === 0) return skip;
      state.write(preferred, { terms });
      return undefined;
    },
    score(state, _pod, node) {
      let sum = 0;
      for (const { weight, matches } of state.read(preferred)?.terms ?? []) if (matches(node)) sum += weight;
      return sum;
    },
    normalizeScores: (_state, _pod, scores) => normalize(scores, false),
  };
}
