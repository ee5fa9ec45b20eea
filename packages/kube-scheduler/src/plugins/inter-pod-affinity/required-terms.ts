import { type AffinityTerm, type NamespaceLabels, termMatches } from '../../cache/affinity-term.ts';
import type { NodeInfo } from '../../cache/node-info.ts';
import type { CountSpec } from '../../cache/pod-index.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import type { ClusterView } from '../../cache/snapshot.ts';
import { Tally } from '../../cache/tally.ts';
import type { CycleValue } from '../../framework/cycle-state.ts';

/** Pods of one kind by topology value. */
export interface TopologyTally {
  readonly topologyKey: string;
  readonly tally: Tally;
}

const noCounts = new Map<string, number>();
const cloneAll = (tallies: readonly TopologyTally[]): TopologyTally[] =>
  tallies.map(({ topologyKey, tally }) => ({ topologyKey, tally: tally.clone() }));

export const matchesAll = (terms: readonly AffinityTerm[], { namespace, labels }: PodInfo, namespaceLabels: NamespaceLabels): boolean =>
  terms.every((term) => termMatches(term, namespace, labels, namespaceLabels));

/** Counts the pods that a term speaks about. */
export const countOfTerm = (term: AffinityTerm, namespaceLabels: NamespaceLabels): CountSpec => ({
  id: `term ${term.id}`,
  topologyKey: term.topologyKey,
  namespaces: term.namespaceSelector === undefined ? term.namespaces : undefined,
  matches: ({ namespace, labels }) => termMatches(term, namespace, labels, namespaceLabels),
});

/** Counts the pods that all terms speak about. */
function countOfAll(terms: readonly AffinityTerm[], topologyKey: string, namespaceLabels: NamespaceLabels): CountSpec {
  return {
    id: `all ${terms.map(({ id }) => id).join(' & ')}`,
    topologyKey,
    namespaces: terms.find((term) => term.namespaceSelector === undefined)?.namespaces,
    matches: (pod) => matchesAll(terms, pod, namespaceLabels),
  };
}

/** Where required affinity and anti-affinity, the pod's own and that of others, let a pod go. */
export class RequiredTerms implements CycleValue {
  readonly #pod: PodInfo;
  readonly #namespaceLabels: NamespaceLabels;
  /** Pods that do not want this one near them. One for each topology key. */
  readonly #keptAway: TopologyTally[];
  /** Pods that match every affinity term, one for each topology key. */
  readonly #wanted: readonly TopologyTally[];
  /** One for each anti-affinity term, in the same order. */
  readonly #unwanted: readonly TopologyTally[];

  private constructor(
    pod: PodInfo,
    namespaceLabels: NamespaceLabels,
    tallies: { keptAway: TopologyTally[]; wanted: readonly TopologyTally[]; unwanted: readonly TopologyTally[] },
  ) {
    this.#pod = pod;
    this.#namespaceLabels = namespaceLabels;
    this.#keptAway = tallies.keptAway;
    this.#wanted = tallies.wanted;
    this.#unwanted = tallies.unwanted;
  }

  /** Undefined when no term has anything to do with the pod. */
  static of(pod: PodInfo, { index }: ClusterView, namespaceLabels: NamespaceLabels): RequiredTerms | undefined {
    const terms = pod.requiredAffinity;
    const keptAway = index.antiAffinity
      .matching(pod, namespaceLabels)
      .map(({ term, weights }) => ({ topologyKey: term.topologyKey, tally: new Tally(weights) }));
    if (keptAway.length === 0 && terms.length === 0 && pod.requiredAntiAffinity.length === 0) return undefined;
    const keys = [...new Set(terms.map(({ topologyKey }) => topologyKey))];
    const wanted = keys.map((topologyKey) => ({
      topologyKey,
      tally: new Tally(index.count(countOfAll(terms, topologyKey, namespaceLabels))),
    }));
    const unwanted = pod.requiredAntiAffinity.map((term) => ({
      topologyKey: term.topologyKey,
      tally: new Tally(index.count(countOfTerm(term, namespaceLabels))),
    }));
    return new RequiredTerms(pod, namespaceLabels, { keptAway, wanted, unwanted });
  }

  clone(): RequiredTerms {
    return new RequiredTerms(this.#pod, this.#namespaceLabels, {
      keptAway: cloneAll(this.#keptAway),
      wanted: cloneAll(this.#wanted),
      unwanted: cloneAll(this.#unwanted),
    });
  }

  /** `by` is 1 when `other` comes to `node`, -1 when it goes. */
  change(other: PodInfo, { labels }: NodeInfo, by: 1 | -1): void {
    const pod = this.#pod;
    for (const term of other.requiredAntiAffinity) {
      const value = labels[term.topologyKey];
      if (value === undefined || !termMatches(term, pod.namespace, pod.labels, this.#namespaceLabels)) continue;
      this.#keptAwayBy(term.topologyKey, value, by);
    }
    if (this.#wanted.length > 0 && matchesAll(pod.requiredAffinity, other, this.#namespaceLabels)) {
      for (const { topologyKey, tally } of this.#wanted) {
        const value = labels[topologyKey];
        if (value !== undefined) tally.change(value, by);
      }
    }
    for (const [at, term] of pod.requiredAntiAffinity.entries()) {
      const value = labels[term.topologyKey];
      if (value === undefined || !termMatches(term, other.namespace, other.labels, this.#namespaceLabels)) continue;
      this.#unwanted[at]?.tally.change(value, by);
    }
  }

  /** Several terms may share a key: the change goes to one that has something to take from. */
  #keptAwayBy(topologyKey: string, value: string, by: 1 | -1): void {
    const candidates = this.#keptAway.filter((candidate) => candidate.topologyKey === topologyKey);
    const found = by < 0 ? candidates.find(({ tally }) => tally.get(value) > 0) : candidates[0];
    if (found !== undefined) found.tally.change(value, by);
    else if (by > 0) this.#keptAway.push({ topologyKey, tally: new Tally(noCounts, new Map([[value, by]])) });
  }

  /** Pods there do not want this one. */
  isKeptAway({ labels }: NodeInfo): boolean {
    return isAnyThere(this.#keptAway, labels);
  }

  /** Pods are there that this one does not want. */
  isRepelled({ labels }: NodeInfo): boolean {
    return isAnyThere(this.#unwanted, labels);
  }

  /** What the pod wants is near. The first of a group that wants its own kind may go anywhere. */
  isAttracted({ labels }: NodeInfo): boolean {
    let areThere = true;
    for (const { topologyKey, tally } of this.#wanted) {
      const value = labels[topologyKey];
      if (value === undefined) return false;
      if (tally.get(value) <= 0) areThere = false;
    }
    if (areThere) return true;
    return this.#wanted.every(({ tally }) => tally.isEmpty) && matchesAll(this.#pod.requiredAffinity, this.#pod, this.#namespaceLabels);
  }
}

function isAnyThere(tallies: readonly TopologyTally[], labels: Readonly<Record<string, string>>): boolean {
  for (const { topologyKey, tally } of tallies) {
    const value = labels[topologyKey];
    if (value !== undefined && tally.get(value) > 0) return true;
  }
  return false;
}
