import type { Random } from '@orrery/base';
import type { NodeInfo } from '../cache/node-info.ts';
import type { PodInfo } from '../cache/pod-info.ts';
import type { ClusterView } from '../cache/snapshot.ts';
import type { CycleState } from '../framework/cycle-state.ts';
import { type Diagnosis, noNodeStatus } from '../framework/fit-error.ts';
import type { PreFilterOutcome, Profile } from '../framework/profile.ts';
import { isRejected, messageOf, type Status, unresolvable } from '../framework/status.ts';

export const NO_NODES_MESSAGE = 'no nodes available to schedule pods';

export type SearchOutcome =
  | { readonly type: 'found'; readonly nodeName: string }
  | { readonly type: 'unfit'; readonly diagnosis: Diagnosis }
  | { readonly type: 'failed'; readonly status: Status };

/** As few as 5 % in the largest clusters, but never under 100. Source: numFeasibleNodesToFind. */
export function nodesToFind(nodeCount: number, percentage: number): number {
  if (nodeCount < 100 || percentage >= 100) return nodeCount;
  const share = percentage > 0 ? percentage : Math.max(5, 50 - Math.trunc(nodeCount / 125));
  return Math.max(100, Math.trunc((nodeCount * share) / 100));
}

/** Finds the best node for one pod. Remembers where the last search ended, so that all nodes get their turn. */
export class NodeSearch {
  readonly #random: Random;
  #start = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** @param nominated - Node for which room was made: taken when the pod fits there. */
  find(
    profile: Profile,
    state: CycleState,
    pod: PodInfo,
    cluster: ClusterView,
    options: { readonly percentage: number; readonly nominated: string | undefined },
  ): SearchOutcome {
    const { nodes } = cluster;
    if (nodes.length === 0) return { type: 'failed', status: unresolvable(NO_NODES_MESSAGE) };
    const before = profile.preFilter(state, pod, cluster);
    if (before.rejection !== undefined) return outright(before, nodes.length);
    const nominated = options.nominated === undefined ? undefined : cluster.node(options.nominated);
    if (nominated !== undefined && before.nodeNames?.has(nominated.name) !== false && profile.fits(state, pod, nominated) === undefined) {
      return { type: 'found', nodeName: nominated.name };
    }
    const candidates = before.nodeNames === undefined ? nodes : namedIn(cluster, before.nodeNames);
    const { feasible, byNode, plugins, error } = this.#filter(profile, state, pod, candidates, options.percentage);
    if (error !== undefined) return { type: 'failed', status: error };
    if (feasible.length > 0) return { type: 'found', nodeName: this.#best(profile, state, pod, feasible, cluster).name };
    const narrowers = [...(before.plugins ?? [])];
    const diagnosis: Diagnosis = {
      byNode,
      others: narrowers.length === 0 ? noNodeStatus : unresolvable(`node(s) didn't satisfy plugin(s) [${narrowers.toSorted().join(' ')}]`),
      nodeCount: nodes.length,
      unschedulablePlugins: new Set([...plugins, ...narrowers]),
      pendingPlugins: new Set(),
      preFilterMessage: '',
    };
    return { type: 'unfit', diagnosis };
  }

  #filter(profile: Profile, state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], percentage: number) {
    const wanted = nodesToFind(nodes.length, percentage);
    const filters = profile.activeFilters(state);
    const feasible: NodeInfo[] = [];
    const byNode = new Map<string, Status>();
    const plugins = new Set<string>();
    let error: Status | undefined;
    let at = this.#start % Math.max(1, nodes.length);
    for (let seen = 0; seen < nodes.length && feasible.length < wanted; seen += 1) {
      const node = nodes[at];
      at = at + 1 === nodes.length ? 0 : at + 1;
      if (node === undefined) continue;
      const rejection = profile.filter(filters, state, pod, node);
      if (rejection === undefined) {
        feasible.push(node);
        continue;
      }
      if (!isRejected(rejection.status)) error = rejection.status;
      byNode.set(node.name, rejection.status);
      plugins.add(rejection.plugin);
    }
    this.#start = at;
    return { feasible, byNode, plugins, error: feasible.length > 0 ? undefined : error };
  }

  #best(profile: Profile, state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], cluster: ClusterView): NodeInfo {
    const [only] = nodes;
    if (only !== undefined && nodes.length === 1) return only;
    const scores = profile.score(state, pod, nodes, cluster);
    let best = Number.NEGATIVE_INFINITY;
    let ties: NodeInfo[] = [];
    for (let at = 0; at < nodes.length; at += 1) {
      const score = scores[at] ?? 0;
      const node = nodes[at];
      if (node === undefined || score < best) continue;
      if (score > best) ties = [];
      best = score;
      ties.push(node);
    }
    return ties[this.#random.integer(ties.length)] as NodeInfo;
  }
}

/** A plugin turned the pod away before any node was looked at. */
function outright({ rejection, plugins }: PreFilterOutcome, nodeCount: number): SearchOutcome {
  const status = rejection?.status ?? noNodeStatus;
  if (!isRejected(status)) return { type: 'failed', status };
  const names = new Set([...(plugins ?? []), ...(rejection === undefined ? [] : [rejection.plugin])]);
  const isPending = status.code === 'Pending';
  return {
    type: 'unfit',
    diagnosis: {
      byNode: new Map(),
      others: status,
      nodeCount,
      unschedulablePlugins: isPending ? new Set() : names,
      pendingPlugins: isPending ? names : new Set(),
      preFilterMessage: messageOf(status),
    },
  };
}

function namedIn(cluster: ClusterView, names: ReadonlySet<string>): readonly NodeInfo[] {
  return [...names].map((name) => cluster.node(name)).filter((node) => node !== undefined);
}
