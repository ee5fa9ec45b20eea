import { type NamespaceLabels, termMatches } from '../../cache/affinity-term.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import { action, type ClusterEventWithHint } from '../../framework/cluster-event.ts';
import { newStateKey } from '../../framework/cycle-state.ts';
import { type PluginFactory, SCORE_MAX } from '../../framework/plugin.ts';
import { skip, unresolvable, unschedulable } from '../../framework/status.ts';
import { countOfTerm, matchesAll, RequiredTerms } from './required-terms.ts';

export const AFFINITY_REASON = "node(s) didn't match pod affinity rules";
export const ANTI_AFFINITY_REASON = "node(s) didn't match pod anti-affinity rules";
export const EXISTING_ANTI_AFFINITY_REASON = "node(s) didn't satisfy existing pods anti-affinity rules";
const rejectedByAffinity = unresolvable(AFFINITY_REASON);
const rejectedByAntiAffinity = unschedulable(ANTI_AFFINITY_REASON);
const rejectedByOthers = unschedulable(EXISTING_ANTI_AFFINITY_REASON);

/** What a node gains for each of the pods (or of the weight) near it. */
interface Attraction {
  readonly topologyKey: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly weight: number;
}

const required = newStateKey<RequiredTerms>('InterPodAffinity/required');
const attractions = newStateKey<{ readonly all: readonly Attraction[] }>('InterPodAffinity/attractions');

/** Pod affinity and anti-affinity: required terms reject, preferred terms score. Args: `hardPodAffinityWeight`. @default 1 */
export const newInterPodAffinity: PluginFactory = ({ namespaceLabels }, args) => {
  const hardWeight = Number(args['hardPodAffinityWeight'] ?? 1);
  const ignoresOthers = args['ignorePreferredTermsOfExistingPods'] === true;
  return {
    name: 'InterPodAffinity',
    eventsToRegister: () => eventsOf(namespaceLabels),
    preFilter(state, pod, cluster) {
      const terms = RequiredTerms.of(pod, cluster, namespaceLabels);
      if (terms === undefined) return skip;
      state.write(required, terms);
      return undefined;
    },
    addPod: (state, _pod, other, node) => state.read(required)?.change(other, node, 1),
    removePod: (state, _pod, other, node) => state.read(required)?.change(other, node, -1),
    filter(state, _pod, node) {
      const terms = state.read(required);
      if (terms === undefined) return undefined;
      if (!terms.isAttracted(node)) return rejectedByAffinity;
      if (terms.isRepelled(node)) return rejectedByAntiAffinity;
      return terms.isKeptAway(node) ? rejectedByOthers : undefined;
    },
    preScore(state, pod, _nodes, { index }) {
      const own = (list: PodInfo['preferredAffinity'], sign: 1 | -1): Attraction[] =>
        list.map(({ term, weight }) => ({
          topologyKey: term.topologyKey,
          counts: index.count(countOfTerm(term, namespaceLabels)),
          weight: sign * weight,
        }));
      const all = [...own(pod.preferredAffinity, 1), ...own(pod.preferredAntiAffinity, -1)];
      const hasPreferences = all.length > 0;
      if (!ignoresOthers || hasPreferences) {
        for (const { term, weights } of index.preferred.matching(pod, namespaceLabels)) {
          all.push({ topologyKey: term.topologyKey, counts: weights, weight: 1 });
        }
        if (hardWeight > 0) {
          for (const { term, weights } of index.affinity.matching(pod, namespaceLabels)) {
            all.push({ topologyKey: term.topologyKey, counts: weights, weight: hardWeight });
          }
        }
      }
      const effective = all.filter(({ counts, weight }) => counts.size > 0 && weight !== 0);
      if (effective.length === 0) return skip;
      state.write(attractions, { all: effective });
      return undefined;
    },
    score(state, _pod, { labels }) {
      let sum = 0;
      for (const { topologyKey, counts, weight } of state.read(attractions)?.all ?? []) {
        const value = labels[topologyKey];
        if (value !== undefined) sum += weight * (counts.get(value) ?? 0);
      }
      return sum;
    },
    normalizeScores: (_state, _pod, scores) => stretch(scores),
  };
};

/** The lowest becomes 0, the highest 100, in place. All 0 when they are equal. */
function stretch(scores: number[]): void {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (score < min) min = score;
    if (score > max) max = score;
  }
  const range = max - min;
  for (let at = 0; at < scores.length; at += 1) {
    scores[at] = range > 0 ? Math.trunc((SCORE_MAX * ((scores[at] ?? 0) - min)) / range) : 0;
  }
}

function eventsOf(namespaceLabels: NamespaceLabels): readonly ClusterEventWithHint[] {
  const isAbout = (terms: PodInfo['requiredAffinity'], { namespace, labels }: PodInfo): boolean =>
    terms.some((term) => termMatches(term, namespace, labels, namespaceLabels));
  return [
    {
      resource: 'AssignedPod',
      actions: action.add | action.delete | action.updatePodLabel,
      hint(pod, old, other) {
        const hasCome = other as PodInfo | undefined;
        const hasGone = old as PodInfo | undefined;
        if (hasCome !== undefined && pod.requiredAffinity.length > 0 && matchesAll(pod.requiredAffinity, hasCome, namespaceLabels))
          return true;
        if (hasGone === undefined) return false;
        return isAbout(pod.requiredAntiAffinity, hasGone) || isAbout(hasGone.requiredAntiAffinity, pod);
      },
    },
    { resource: 'Node', actions: action.add | action.updateNodeLabel },
    { resource: 'TargetPod', actions: action.updatePodLabel },
    { resource: 'Namespace', actions: action.all },
  ];
}
