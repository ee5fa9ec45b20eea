import type { NodeInfo } from '../../cache/node-info.ts';
import type { PodInfo } from '../../cache/pod-info.ts';
import type { CycleState } from '../../framework/cycle-state.ts';
import { fitMessage, type NodeStatuses } from '../../framework/fit-error.ts';
import type { Handle } from '../../framework/handle.ts';
import type { PluginFactory, PostFilterResult } from '../../framework/plugin.ts';
import { type Status, unresolvable, unschedulable } from '../../framework/status.ts';
import { evict } from './eviction.ts';
import { type Candidate, pickCandidate, selectVictims } from './victims.ts';

const NAME = 'DefaultPreemption';
export const NOT_HELPFUL_REASON = 'Preemption is not helpful for scheduling';
const notHelpful = unresolvable(NOT_HELPFUL_REASON);

/** Makes room by ending pods of lower priority. Args: `minCandidateNodesPercentage` (10), `minCandidateNodesAbsolute` (100). */
export const newDefaultPreemption: PluginFactory = (handle, args) => {
  const percentage = Number(args['minCandidateNodesPercentage'] ?? 10);
  const absolute = Number(args['minCandidateNodesAbsolute'] ?? 100);
  const underWay = new Map<string, { isRetried: boolean }>(); // Pods for which victims are being ended, by uid.

  const start = (pod: PodInfo, candidate: Candidate): void => {
    const progress = { isRetried: false };
    underWay.set(pod.uid, progress);
    const end = (isFailed: boolean): void => {
      underWay.delete(pod.uid);
      // An attempt that came too early was turned down, and the event that woke it is gone.
      if (isFailed || progress.isRetried) handle.activate(pod.uid);
    };
    evict(handle, pod, candidate).then(
      () => end(false),
      (error: unknown) => {
        handle.log.warn('preemption failed; the pod is tried again', { pod: pod.key, node: candidate.nodeName, error });
        end(true);
      },
    );
  };

  return {
    name: NAME,
    eventsToRegister: () => [],
    postFilter(state, pod, statuses) {
      const progress = underWay.get(pod.uid);
      if (progress !== undefined) {
        progress.isRetried = true;
        return { status: rejected('waiting for the preemption for this pod to be finished') };
      }
      const obstacle = ineligible(handle, pod, statuses);
      if (obstacle !== undefined) return { status: rejected(obstacle) };
      const { nodes } = handle.cluster;
      const potential = nodes.filter(({ name }) => (statuses.byNode.get(name) ?? statuses.others).code === 'Unschedulable');
      const wanted = Math.min(potential.length, Math.max(Math.trunc((potential.length * percentage) / 100), absolute));
      const { candidates, failures } = dryRun(handle, state, pod, potential, wanted);
      const best = pickCandidate(candidates);
      if (best === undefined) return noCandidate(failures, nodes.length);
      start(pod, best);
      return { status: { code: 'Success', reasons: [] }, nominatedNodeName: best.nodeName };
    },
  };
};

const rejected = (message: string): Status => unschedulable(`preemption: ${message}`);

function noCandidate(byNode: ReadonlyMap<string, Status>, nodeCount: number): PostFilterResult {
  const message = fitMessage({ byNode, others: notHelpful, nodeCount, preFilterMessage: '' }, '');
  return { status: rejected(message), nominatedNodeName: '' };
}

/** Why the pod may not preempt. Source: PodEligibleToPreemptOthers. */
function ineligible({ nominator, cluster }: Handle, pod: PodInfo, statuses: NodeStatuses): string | undefined {
  if (pod.pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = nominator.nodeOf(pod.uid);
  if (nominated === undefined) return undefined;
  // The node is of no use any more: it may look elsewhere.
  if ((statuses.byNode.get(nominated) ?? statuses.others).code === 'UnschedulableAndUnresolvable') return undefined;
  const isTerminating = (other: PodInfo): boolean => other.isTerminating && other.priority < pod.priority && isOurs(other);
  return cluster.node(nominated)?.pods.some(isTerminating) === true
    ? 'not eligible due to a terminating pod on the nominated node.'
    : undefined;
}

/** Whether the pod ends because of a preemption. Source: podTerminatingByPreemption. */
const isOurs = ({ pod }: PodInfo): boolean =>
  pod.status?.conditions?.some(
    ({ type, status, reason }) => type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
  ) === true;

/** Tries nodes from a random one on, until enough would do. */
function dryRun(handle: Handle, state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], wanted: number) {
  const candidates: Candidate[] = [];
  const failures = new Map<string, Status>();
  const budgets = handle.disruptionBudgets();
  const offset = nodes.length === 0 ? 0 : handle.random.integer(nodes.length);
  let isHarmless = false; // Some candidate violates no budget.
  for (let at = 0; at < nodes.length && !(candidates.length >= wanted && isHarmless); at += 1) {
    const node = nodes[(offset + at) % nodes.length];
    if (node === undefined) continue;
    const outcome = selectVictims(handle, state.clone(), pod, node.clone(), budgets);
    if ('code' in outcome) failures.set(node.name, outcome);
    else if (outcome.victims.length > 0) {
      candidates.push(outcome);
      isHarmless ||= outcome.violations === 0;
    }
  }
  return { candidates, failures };
}
