import type { Pod, TopologySpreadConstraint } from '@orrery/api/core/v1';
import { type ParsedLabelSelector, selectorFromLabelSelector } from '@orrery/apimachinery';
import { withLabelKeys } from '../../cache/affinity-term.ts';
import type { NodeInfo } from '../../cache/node-info.ts';
import type { CountSpec } from '../../cache/pod-index.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import { type NodeMatcher, requiredNodes } from '../node-affinity/node-selector.ts';
import { untoleratedTaint } from '../taint-toleration/tolerations.ts';

/** A spread constraint, parsed. */
export interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  /** With fewer domains the emptiest counts as 0. @default 1 */
  readonly minDomains: number;
  readonly selector: ParsedLabelSelector;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

export type Unsatisfiable = 'DoNotSchedule' | 'ScheduleAnyway';

/** @throws StatusError for a selector that does not parse. */
export function constraintsOf(pod: Pod, wanted: Unsatisfiable, constraints: readonly TopologySpreadConstraint[]): Constraint[] {
  return constraints
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === wanted)
    .map((constraint) => ({
      topologyKey: constraint.topologyKey,
      maxSkew: constraint.maxSkew,
      minDomains: constraint.minDomains ?? 1,
      selector: withLabelKeys(pod, selectorFromLabelSelector(constraint.labelSelector), constraint.matchLabelKeys),
      honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
      honorsTaints: (constraint.nodeTaintsPolicy ?? 'Ignore') === 'Honor',
    }));
}

/** Counts the pods that count for `constraint`: of the same namespace, not being deleted. @param topologyKey - Absent: for each node. */
export function countOf({ selector }: Constraint, namespace: string, topologyKey?: string): CountSpec {
  return {
    id: `spread ${namespace} ${selector.nothing ? '!' : ''}${selector.toString()}`,
    topologyKey,
    namespaces: new Set([namespace]),
    matches: (other) => !other.isTerminating && selector.matches(other.labels),
  };
}

export const hasKeys = (labels: Readonly<Record<string, string>>, constraints: readonly Constraint[]): boolean =>
  constraints.every(({ topologyKey }) => labels[topologyKey] !== undefined);

/** Decides which nodes count for a pod's constraints. */
export class Inclusion {
  readonly #pod: PodInfo;
  readonly #matches: NodeMatcher | undefined;

  constructor(pod: PodInfo) {
    this.#pod = pod;
    this.#matches = requiredNodes(pod.pod);
  }

  /** Whether every node counts, without looking. */
  takesAll({ honorsAffinity, honorsTaints }: Constraint): boolean {
    return !honorsTaints && (!honorsAffinity || this.#matches === undefined);
  }

  takes({ honorsAffinity, honorsTaints }: Constraint, node: NodeInfo): boolean {
    if (honorsAffinity && this.#matches?.(node) === false) return false;
    return !honorsTaints || untoleratedTaint(node.taints, this.#pod.pod.spec.tolerations) === undefined;
  }
}
