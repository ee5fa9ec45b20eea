import type { PodDisruptionBudget } from '@orrery/api/policy/v1';
import { selectorFromLabelSelector } from '@orrery/apimachinery';
import type { NodeInfo } from '../../cache/node-info.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import type { CycleState } from '../../framework/cycle-state.ts';
import type { Handle } from '../../framework/handle.ts';
import { type Status, unresolvable } from '../../framework/status.ts';

/** A node on which the pod would fit without `victims`. */
export interface Candidate {
  readonly nodeName: string;
  /** Most important first. */
  readonly victims: readonly PodInfo[];
  /** Victims whose disruption budget allows no disruption. */
  readonly violations: number;
}

export const NO_VICTIMS_REASON = 'No preemption victims found for incoming pod';
const noVictims = unresolvable(NO_VICTIMS_REASON);

export const startMs = ({ pod }: PodInfo): number => Date.parse(pod.status?.startTime ?? '') || Number.POSITIVE_INFINITY;

/** Higher priority first, then whoever has run longer. Source: util.MoreImportantPod. */
export const byImportance = (a: PodInfo, b: PodInfo): number => b.priority - a.priority || compareNumbers(startMs(a), startMs(b));
const compareNumbers = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

/**
 * The fewest and least important pods whose end makes room: all pods of lower priority go, and those that still fit come back, the most
 * important first. @param node - A copy: it is changed. @param state - A copy, too.
 */
export function selectVictims(
  handle: Pick<Handle, 'fits' | 'tryAdd' | 'tryRemove'>,
  state: CycleState,
  pod: PodInfo,
  node: NodeInfo,
  budgets: readonly PodDisruptionBudget[],
): Candidate | Status {
  const potential = node.pods.filter(({ priority }) => priority < pod.priority);
  if (potential.length === 0) return noVictims;
  const take = (other: PodInfo): void => {
    node.removePod(other);
    handle.tryRemove(state, pod, other, node);
  };
  for (const other of potential) take(other);
  const status = handle.fits(state, pod, node);
  if (status !== undefined) return status;
  const victims: PodInfo[] = [];
  const isSpared = (other: PodInfo): boolean => {
    node.addPod(other);
    handle.tryAdd(state, pod, other, node);
    if (handle.fits(state, pod, node) === undefined) return true;
    take(other);
    victims.push(other);
    return false;
  };
  const { violating, others } = byBudget(potential.sort(byImportance), budgets);
  let violations = 0;
  for (const other of violating) if (!isSpared(other)) violations += 1;
  for (const other of others) isSpared(other);
  return { nodeName: node.name, victims: victims.sort(byImportance), violations };
}

/** Pods that a disruption budget protects now, and the others. Source: filterPodsWithPDBViolation. */
function byBudget(pods: readonly PodInfo[], budgets: readonly PodDisruptionBudget[]): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map(({ status }) => status?.disruptionsAllowed ?? 0);
  const selectors = budgets.map(({ spec }) => selectorFromLabelSelector(spec?.selector));
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const info of pods) {
    let isViolating = false;
    for (const [at, budget] of budgets.entries()) {
      const selector = selectors[at];
      if (budget.metadata.namespace !== info.namespace || Object.keys(info.labels ?? {}).length === 0) continue;
      if (selector === undefined || selector.nothing || selector.everything || !selector.matches(info.labels)) continue;
      if (budget.status?.disruptedPods?.[info.pod.metadata.name] !== undefined) continue; // Its end is counted already.
      left[at] = (left[at] ?? 0) - 1;
      if ((left[at] ?? 0) < 0) isViolating = true;
    }
    (isViolating ? violating : others).push(info);
  }
  return { violating, others };
}

/** Of every priority a positive number, so that more victims of the lowest priorities still count as more. */
const PRIORITY_OFFSET = 2 ** 31;

/** Each says how bad a candidate is, as seen first to last: ties go to the next. Source: pickOneNodeForPreemption. */
const costs: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => victims[0]?.priority ?? Number.NEGATIVE_INFINITY,
  ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + PRIORITY_OFFSET, 0),
  ({ victims }) => victims.length,
  // Rather those that started last, measured by the oldest of the most important ones.
  ({ victims }) => -Math.min(...victims.filter(({ priority }) => priority === victims[0]?.priority).map(startMs)),
];

export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let best = candidates;
  for (const cost of costs) {
    if (best.length <= 1) break;
    const values = best.map(cost);
    const least = values.reduce((a, b) => (b < a ? b : a), Number.POSITIVE_INFINITY);
    best = best.filter((_, at) => values[at] === least);
  }
  return best[0];
}
