import { assert } from '@orrery/base';
import type { NodeInfo } from '../cache/node-info.ts';
import type { PodInfo } from '../cache/pod-info.ts';
import type { ClusterView } from '../cache/snapshot.ts';
import type { CycleState } from './cycle-state.ts';
import type { NodeStatuses } from './fit-error.ts';
import type { Nominator } from './nominator.ts';
import type { Plugin, PostFilterResult } from './plugin.ts';
import { errorStatus, type Status, type Verdict } from './status.ts';

/** A verdict and who gave it. */
export interface Rejection {
  readonly plugin: string;
  readonly status: Status;
}

export interface PreFilterOutcome {
  readonly rejection?: Rejection;
  /** The only nodes worth a look, and the plugins that said so. */
  readonly nodeNames?: ReadonlySet<string>;
  readonly plugins?: ReadonlySet<string>;
}

export interface WeightedPlugin {
  readonly plugin: Plugin;
  readonly weight: number;
}

type Having<K extends keyof Plugin> = Plugin & Required<Pick<Plugin, K>>;
const having = <K extends keyof Plugin>(plugins: readonly WeightedPlugin[], key: K): Having<K>[] =>
  plugins.map(({ plugin }) => plugin).filter((plugin): plugin is Having<K> => plugin[key] !== undefined);

/** The plugins of one scheduler name, and how their answers are put together. */
export class Profile {
  readonly schedulerName: string;
  readonly plugins: readonly WeightedPlugin[];
  readonly preEnqueue: readonly Having<'preEnqueue'>[];
  readonly #preFilters: readonly Having<'preFilter'>[];
  readonly #filters: readonly Having<'filter'>[];
  readonly #postFilters: readonly Having<'postFilter'>[];
  readonly #adders: readonly Having<'addPod'>[];
  readonly #removers: readonly Having<'removePod'>[];
  readonly #scorers: readonly WeightedPlugin[];
  readonly reservers: readonly Plugin[];
  readonly permits: readonly Having<'permit'>[];
  readonly preBinds: readonly Having<'preBind'>[];
  readonly binds: readonly Having<'bind'>[];
  readonly postBinds: readonly Having<'postBind'>[];
  readonly compare: NonNullable<Plugin['compare']>;
  readonly #nominator: Nominator;

  /** @throws {AssertionError} when not exactly one plugin orders the queue, or none binds. */
  constructor(schedulerName: string, plugins: readonly WeightedPlugin[], nominator: Nominator) {
    this.schedulerName = schedulerName;
    this.plugins = plugins;
    this.#nominator = nominator;
    this.preEnqueue = having(plugins, 'preEnqueue');
    this.#preFilters = having(plugins, 'preFilter');
    this.#filters = having(plugins, 'filter');
    this.#postFilters = having(plugins, 'postFilter');
    this.#adders = having(plugins, 'addPod');
    this.#removers = having(plugins, 'removePod');
    this.#scorers = plugins.filter(({ plugin, weight }) => plugin.score !== undefined && weight > 0);
    this.reservers = plugins.map(({ plugin }) => plugin).filter((plugin) => plugin.reserve ?? plugin.unreserve);
    this.permits = having(plugins, 'permit');
    this.preBinds = having(plugins, 'preBind');
    this.binds = having(plugins, 'bind');
    this.postBinds = having(plugins, 'postBind');
    const [order, ...others] = having(plugins, 'compare');
    assert(order !== undefined && others.length === 0, () => `profile ${schedulerName} must have exactly one queue order plugin`);
    assert(this.binds.length > 0, () => `profile ${schedulerName} must have a bind plugin`);
    this.compare = (a, b) => order.compare(a, b);
  }

  get hasPostFilters(): boolean {
    return this.#postFilters.length > 0;
  }

  preFilter(state: CycleState, pod: PodInfo, cluster: ClusterView): PreFilterOutcome {
    const skipped = new Set<string>();
    let nodeNames: ReadonlySet<string> | undefined;
    const narrowers = new Set<string>();
    for (const plugin of this.#preFilters) {
      const answer = plugin.preFilter(state, pod, cluster);
      if (answer === undefined) continue;
      if ('code' in answer) {
        if (answer.code === 'Skip') skipped.add(plugin.name);
        else if (answer.code !== 'Success') return { rejection: { plugin: plugin.name, status: answer } };
        continue;
      }
      narrowers.add(plugin.name);
      const known: ReadonlySet<string> | undefined = nodeNames;
      nodeNames = known === undefined ? answer.nodeNames : new Set([...answer.nodeNames].filter((name) => known.has(name)));
      if (nodeNames.size > 0) continue;
      const reason = noNodesLeft([...narrowers]);
      return {
        rejection: { plugin: plugin.name, status: { code: 'UnschedulableAndUnresolvable', reasons: [reason] } },
        plugins: narrowers,
      };
    }
    state.skippedFilters = skipped;
    return nodeNames === undefined ? {} : { nodeNames, plugins: narrowers };
  }

  /** The filters that have something to say about this pod. */
  activeFilters(state: CycleState): readonly Having<'filter'>[] {
    return this.#filters.filter(({ name }) => !state.skippedFilters.has(name));
  }

  /** The first filter that turns the node down. */
  filter(filters: readonly Having<'filter'>[], state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined {
    if (!this.#nominator.isEmpty) {
      const nominated = this.#nominator.on(node.name).filter(({ uid, priority }) => uid !== pod.uid && priority >= pod.priority);
      if (nominated.length > 0) {
        // With them the pod must fit because they come first, and without them too: they may go elsewhere.
        const rejection = this.#filterWith(nominated, filters, state, pod, node);
        if (rejection !== undefined) return rejection;
      }
    }
    return firstRejection(filters, state, pod, node);
  }

  #filterWith(
    nominated: readonly PodInfo[],
    filters: readonly Having<'filter'>[],
    state: CycleState,
    pod: PodInfo,
    node: NodeInfo,
  ): Rejection | undefined {
    const tried = node.clone();
    const triedState = state.clone();
    for (const other of nominated) {
      tried.addPod(other);
      this.addPod(triedState, pod, other, tried);
    }
    return firstRejection(filters, triedState, pod, tried);
  }

  fits(state: CycleState, pod: PodInfo, node: NodeInfo): Verdict {
    return this.filter(this.activeFilters(state), state, pod, node)?.status;
  }

  addPod(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void {
    for (const plugin of this.#adders) if (!state.skippedFilters.has(plugin.name)) plugin.addPod(state, pod, other, node);
  }

  removePod(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void {
    for (const plugin of this.#removers) if (!state.skippedFilters.has(plugin.name)) plugin.removePod(state, pod, other, node);
  }

  postFilter(state: CycleState, pod: PodInfo, statuses: NodeStatuses): PostFilterResult {
    let last: PostFilterResult = { status: { code: 'Unschedulable', reasons: [] } };
    const reasons: string[] = [];
    for (const plugin of this.#postFilters) {
      last = plugin.postFilter(state, pod, statuses);
      const { code } = last.status;
      if (code === 'Success' || code === 'Error' || code === 'UnschedulableAndUnresolvable') return last;
      reasons.push(...last.status.reasons);
    }
    return { ...last, status: { ...last.status, reasons } };
  }

  /** The weighted sum for each node. @throws what plugins throw. */
  score(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], cluster: ClusterView): readonly number[] {
    const totals = new Array<number>(nodes.length).fill(0);
    for (const { plugin, weight } of this.#scorers) {
      const status = plugin.preScore?.(state, pod, nodes, cluster);
      if (status !== undefined && status.code === 'Skip') continue;
      if (status !== undefined && status.code !== 'Success') throw new Error(`${plugin.name}: ${status.reasons.join(', ')}`);
      const scores = new Array<number>(nodes.length).fill(0);
      for (let at = 0; at < nodes.length; at += 1) {
        const node = nodes[at];
        if (node !== undefined) scores[at] = plugin.score?.(state, pod, node) ?? 0;
      }
      plugin.normalizeScores?.(state, pod, scores, nodes);
      for (let at = 0; at < nodes.length; at += 1) totals[at] = (totals[at] ?? 0) + weight * (scores[at] ?? 0);
    }
    return totals;
  }
}

function firstRejection(filters: readonly Having<'filter'>[], state: CycleState, pod: PodInfo, node: NodeInfo): Rejection | undefined {
  for (const plugin of filters) {
    const status = plugin.filter(state, pod, node);
    if (status !== undefined && status.code !== 'Success') return { plugin: plugin.name, status };
  }
  return undefined;
}

function noNodesLeft(plugins: readonly string[]): string {
  if (plugins.length === 1) return `node(s) didn't satisfy plugin ${plugins[0]}`;
  return `node(s) didn't satisfy plugin(s) [${plugins.toSorted().join(' ')}] simultaneously`;
}

/** Runs `work`; what it throws becomes an `Error`. */
export function guarded(work: () => Verdict): Verdict {
  try {
    return work();
  } catch (error) {
    return errorStatus(error);
  }
}
