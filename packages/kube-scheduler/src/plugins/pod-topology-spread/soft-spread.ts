import type { NodeInfo } from '../../cache/node-info.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import type { ClusterView } from '../../cache/snapshot.ts';
import { SCORE_MAX } from '../../framework/plugin.ts';
import { type Constraint, countOf, hasKeys, Inclusion } from './constraint.ts';
import { allHaveKeys } from './hard-spread.ts';

const HOSTNAME = 'kubernetes.io/hostname';

interface Crowd {
  readonly constraint: Constraint;
  /** By node name where `byNode`, else by topology value. */
  readonly counts: ReadonlyMap<string, number>;
  readonly byNode: boolean;
  /** So that topologies of few domains count beside those of many. */
  readonly weight: number;
}

/** How crowded each candidate's domains are, for constraints that should hold. Less is better. */
export class SoftSpread {
  readonly #crowds: readonly Crowd[];
  readonly #constraints: readonly Constraint[];
  readonly #needsKeys: boolean;

  /** @param needsKeys - Candidates that lack a topology key score 0; otherwise such a constraint says nothing about them. */
  constructor(pod: PodInfo, constraints: readonly Constraint[], candidates: readonly NodeInfo[], cluster: ClusterView, needsKeys: boolean) {
    this.#constraints = constraints;
    this.#needsKeys = needsKeys;
    const counted = candidates.filter((node) => !this.isIgnored(node));
    const inclusion = new Inclusion(pod);
    const isFree = !needsKeys || constraints.length === 1 || allHaveKeys(constraints, cluster);
    this.#crowds = constraints.map((constraint): Crowd => {
      const { topologyKey } = constraint;
      if (topologyKey === HOSTNAME) {
        const counts = cluster.index.count(countOf(constraint, pod.namespace));
        return { constraint, counts, byNode: true, weight: weightOf(counted.length) };
      }
      const weight = weightOf(new Set(counted.map(({ labels }) => labels[topologyKey] ?? '')).size);
      const counts =
        isFree && inclusion.takesAll(constraint)
          ? cluster.index.count(countOf(constraint, pod.namespace, topologyKey))
          : this.#countNodes(constraint, pod, inclusion, cluster);
      return { constraint, counts, byNode: false, weight };
    });
  }

  isIgnored({ labels }: NodeInfo): boolean {
    return this.#needsKeys && !hasKeys(labels, this.#constraints);
  }

  score(node: NodeInfo): number {
    if (this.isIgnored(node)) return 0;
    let sum = 0;
    for (const { constraint, counts, byNode, weight } of this.#crowds) {
      const value = node.labels[constraint.topologyKey];
      if (value === undefined) continue;
      const count = counts.get(byNode ? node.name : value) ?? 0;
      sum += count * weight + (constraint.maxSkew - 1);
    }
    return Math.round(sum);
  }

  normalize(scores: number[], nodes: readonly NodeInfo[]): void {
    const ignored = nodes.map((node) => this.isIgnored(node));
    let min = Number.POSITIVE_INFINITY;
    let max = 0;
    for (const [at, score] of scores.entries()) {
      if (ignored[at] === true) continue;
      if (score < min) min = score;
      if (score > max) max = score;
    }
    for (let at = 0; at < scores.length; at += 1) {
      if (ignored[at] === true) scores[at] = 0;
      else scores[at] = max === 0 ? SCORE_MAX : Math.trunc((SCORE_MAX * (max + min - (scores[at] ?? 0))) / max);
    }
  }

  #countNodes(constraint: Constraint, pod: PodInfo, inclusion: Inclusion, cluster: ClusterView): ReadonlyMap<string, number> {
    const perNode = cluster.index.count(countOf(constraint, pod.namespace));
    const counts = new Map<string, number>();
    for (const node of cluster.nodes) {
      if (this.isIgnored(node) || !inclusion.takes(constraint, node)) continue;
      const value = node.labels[constraint.topologyKey] ?? '';
      counts.set(value, (counts.get(value) ?? 0) + (perNode.get(node.name) ?? 0));
    }
    return counts;
  }
}

const weightOf = (domains: number): number => Math.log(domains + 2);
