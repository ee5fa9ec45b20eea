import type { SchedulerCache } from './cache.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodIndex } from './pod-index.ts';

/** What plugins see of the cluster during one scheduling cycle: it does not change while the cycle runs. */
export interface ClusterView {
  /** Zones alternate, so that a search that stops early has seen them all. */
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  readonly index: PodIndex;
  /** Number of nodes that hold the image. */
  nodesWithImage(image: string): number;
  /** Number of nodes by their value of a label; nodes without it are in none. */
  domains(topologyKey: string): ReadonlyMap<string, number>;
}

/**
 * A copy of the cache's nodes that is brought up to date by copying only those that changed. The index is shared with the cache: a
 * scheduling cycle never waits between {@link update} and its end, so no event can come between them.
 */
export class Snapshot implements ClusterView {
  nodes: NodeInfo[] = [];
  readonly #cache: SchedulerCache;
  readonly #positions = new Map<string, number>(); // Invariant: nodes[#positions.get(name)].name === name, for every node.
  readonly #domains = new Map<string, ReadonlyMap<string, number>>(); // Made when asked for, good for one structure.
  #structure = -1;

  constructor(cache: SchedulerCache) {
    this.#cache = cache;
  }

  get index(): PodIndex {
    return this.#cache.index;
  }

  node(name: string): NodeInfo | undefined {
    const position = this.#positions.get(name);
    return position === undefined ? undefined : this.nodes[position];
  }

  nodesWithImage(image: string): number {
    return this.#cache.imageNodes.get(image) ?? 0;
  }

  domains(topologyKey: string): ReadonlyMap<string, number> {
    let domains = this.#domains.get(topologyKey);
    if (domains === undefined) {
      domains = countValues(this.nodes, topologyKey);
      this.#domains.set(topologyKey, domains);
    }
    return domains;
  }

  /** Costs the number of changed nodes; the number of all nodes when nodes came or went. */
  update(): void {
    const { changed, nodes, structure } = this.#cache;
    if (structure !== this.#structure) this.#rebuild();
    for (const name of changed) {
      const position = this.#positions.get(name);
      const node = nodes.get(name);
      if (position !== undefined && node !== undefined) this.nodes[position] = node.clone();
    }
    changed.clear();
  }

  #rebuild(): void {
    const old = new Map(this.nodes.map((node) => [node.name, node]));
    this.nodes = alternateZones([...this.#cache.nodes.values()]).map((node) => {
      const copy = old.get(node.name);
      return copy?.generation === node.generation ? copy : node.clone();
    });
    this.#domains.clear();
    this.#positions.clear();
    for (const [position, { name }] of this.nodes.entries()) this.#positions.set(name, position);
    this.#structure = this.#cache.structure;
  }
}

/** One node of each zone in turn, zones in order of appearance. Source: the node tree of internal/cache. */
export function alternateZones(nodes: readonly NodeInfo[]): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  for (const node of nodes) {
    const zone = zoneOf(node.labels);
    const members = zones.get(zone);
    if (members === undefined) zones.set(zone, [node]);
    else members.push(node);
  }
  if (zones.size <= 1) return [...nodes];
  const result: NodeInfo[] = [];
  const lists = [...zones.values()];
  for (let turn = 0; result.length < nodes.length; turn += 1) {
    for (const members of lists) {
      const node = members[turn];
      if (node !== undefined) result.push(node);
    }
  }
  return result;
}

function zoneOf(labels: Readonly<Record<string, string>>): string {
  const region = labels['topology.kubernetes.io/region'] ?? labels['failure-domain.beta.kubernetes.io/region'] ?? '';
  const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? '';
  return `${region}:\u0000:${zone}`;
}

function countValues(nodes: readonly NodeInfo[], topologyKey: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { labels } of nodes) {
    const value = labels[topologyKey];
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}
