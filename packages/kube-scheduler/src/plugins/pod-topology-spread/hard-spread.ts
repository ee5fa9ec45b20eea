import type { NodeInfo } from '../../cache/node-info.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import type { ClusterView } from '../../cache/snapshot.ts';
import { Tally } from '../../cache/tally.ts';
import type { CycleValue } from '../../framework/cycle-state.ts';
import { type Constraint, countOf, hasKeys, Inclusion } from './constraint.ts';

interface Spread {
  readonly constraint: Constraint;
  readonly tally: Tally;
  /** Values of the topology key on nodes that count. */
  readonly domains: ReadonlyMap<string, number>;
  /** 1 when the pod counts for its own constraint. */
  readonly self: 0 | 1;
  /** Pods in the emptiest domain; undefined: to be computed. */
  least: number | undefined;
}

/** How pods are spread over the domains of each constraint that must hold. */
export class HardSpread implements CycleValue {
  readonly #pod: PodInfo;
  readonly #inclusion: Inclusion;
  readonly #spreads: readonly Spread[];
  readonly #constraints: readonly Constraint[];

  private constructor(pod: PodInfo, inclusion: Inclusion, spreads: readonly Spread[]) {
    this.#pod = pod;
    this.#inclusion = inclusion;
    this.#spreads = spreads;
    this.#constraints = spreads.map(({ constraint }) => constraint);
  }

  static of(pod: PodInfo, constraints: readonly Constraint[], cluster: ClusterView): HardSpread {
    const inclusion = new Inclusion(pod);
    const isEverywhere = everyNodeCounts(constraints, inclusion, cluster);
    const spreads = constraints.map((constraint): Spread => {
      const counted = isEverywhere ? ofIndex(constraint, pod, cluster) : ofNodes(constraint, constraints, pod, inclusion, cluster);
      return { constraint, ...counted, self: constraint.selector.matches(pod.labels) ? 1 : 0, least: undefined };
    });
    return new HardSpread(pod, inclusion, spreads);
  }

  clone(): HardSpread {
    const spreads = this.#spreads.map((spread) => ({ ...spread, tally: spread.tally.clone() }));
    return new HardSpread(this.#pod, this.#inclusion, spreads);
  }

  change(other: PodInfo, node: NodeInfo, by: 1 | -1): void {
    if (other.namespace !== this.#pod.namespace || other.isTerminating || !hasKeys(node.labels, this.#constraints)) return;
    for (const spread of this.#spreads) {
      const { constraint, tally } = spread;
      if (!constraint.selector.matches(other.labels) || !this.#inclusion.takes(constraint, node)) continue;
      tally.change(node.labels[constraint.topologyKey] ?? '', by);
      spread.least = undefined;
    }
  }

  /** Whether the node lacks a topology key. */
  isOutside({ labels }: NodeInfo): boolean {
    return !hasKeys(labels, this.#constraints);
  }

  /** Whether the pod would make one domain fuller than the emptiest by more than the constraint allows. */
  isTooMuch({ labels }: NodeInfo): boolean {
    for (const spread of this.#spreads) {
      const { constraint, tally, self } = spread;
      const count = tally.get(labels[constraint.topologyKey] ?? '');
      if (count + self - leastOf(spread) > constraint.maxSkew) return true;
    }
    return false;
  }
}

function leastOf(spread: Spread): number {
  if (spread.least === undefined) {
    const { tally, domains, constraint } = spread;
    let least = Number.POSITIVE_INFINITY;
    for (const value of domains.keys()) {
      const count = tally.get(value);
      if (count < least) least = count;
    }
    // Without any domain nothing can be skewed more than the pod itself makes it.
    spread.least = domains.size < constraint.minDomains || least === Number.POSITIVE_INFINITY ? 0 : least;
  }
  return spread.least;
}

/** Whether no node is left out, by policy or for want of a label: then the index has the answer. */
function everyNodeCounts(constraints: readonly Constraint[], inclusion: Inclusion, cluster: ClusterView): boolean {
  return (
    constraints.every((constraint) => inclusion.takesAll(constraint)) && (constraints.length === 1 || allHaveKeys(constraints, cluster))
  );
}

export function allHaveKeys(constraints: readonly Constraint[], cluster: ClusterView): boolean {
  return constraints.every(({ topologyKey }) => {
    let nodes = 0;
    for (const count of cluster.domains(topologyKey).values()) nodes += count;
    return nodes === cluster.nodes.length;
  });
}

type Counted = Pick<Spread, 'tally' | 'domains'>;

function ofIndex(constraint: Constraint, pod: PodInfo, cluster: ClusterView): Counted {
  const counts = cluster.index.count(countOf(constraint, pod.namespace, constraint.topologyKey));
  return { tally: new Tally(counts), domains: cluster.domains(constraint.topologyKey) };
}

function ofNodes(constraint: Constraint, all: readonly Constraint[], pod: PodInfo, inclusion: Inclusion, cluster: ClusterView): Counted {
  const perNode = cluster.index.count(countOf(constraint, pod.namespace));
  const domains = new Map<string, number>();
  for (const node of cluster.nodes) {
    const value = node.labels[constraint.topologyKey];
    if (value === undefined || !hasKeys(node.labels, all) || !inclusion.takes(constraint, node)) continue;
    domains.set(value, (domains.get(value) ?? 0) + (perNode.get(node.name) ?? 0));
  }
  return { tally: new Tally(domains), domains };
}
