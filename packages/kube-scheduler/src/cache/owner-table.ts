import { type AffinityTerm, type NamespaceLabels, termMatches } from './affinity-term.ts';
import type { PodInfo } from './pod-info.ts';

/** One distinct term of pods that are on nodes, with where those pods are. */
export interface OwnedTerm {
  readonly term: AffinityTerm;
  /** Sum of the owners' weights by topology value; owners on nodes without the topology key are in none. Values that sum to 0 are absent. */
  readonly weights: ReadonlyMap<string, number>;
}

interface Entry extends OwnedTerm {
  readonly weights: Map<string, number>;
  owners: number;
}

/**
 * The affinity terms that pods on nodes carry, so that a new pod is compared with each distinct term instead of each pod.
 * Terms are found by the namespaces that they name: a cluster with a thousand applications costs a pod only those of its namespace.
 */
export class OwnerTable {
  readonly #byId = new Map<string, Entry>();
  readonly #byNamespace = new Map<string, Set<Entry>>(); // Invariant: entries of #byId without a namespace selector, under each namespace.
  readonly #selecting = new Set<Entry>(); // Invariant: entries of #byId with a namespace selector.

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  /** @param weight - Taken back with the opposite sign. */
  add(term: AffinityTerm, labels: Readonly<Record<string, string>>, weight: number, owners: 1 | -1): void {
    const entry = this.#byId.get(term.id) ?? this.#insert(term);
    entry.owners += owners;
    const value = labels[term.topologyKey];
    if (value !== undefined) {
      const sum = (entry.weights.get(value) ?? 0) + weight;
      if (sum === 0) entry.weights.delete(value);
      else entry.weights.set(value, sum);
    }
    if (entry.owners === 0) this.#drop(entry);
  }

  /** The terms that speak about `pod`. */
  matching(pod: PodInfo, namespaceLabels: NamespaceLabels): OwnedTerm[] {
    const found: OwnedTerm[] = [];
    const { namespace, labels } = pod;
    for (const entry of this.#byNamespace.get(namespace) ?? []) {
      if (entry.term.selector.matches(labels)) found.push(entry);
    }
    for (const entry of this.#selecting) {
      if (termMatches(entry.term, namespace, labels, namespaceLabels)) found.push(entry);
    }
    return found;
  }

  #insert(term: AffinityTerm): Entry {
    const entry: Entry = { term, weights: new Map(), owners: 0 };
    this.#byId.set(term.id, entry);
    if (term.namespaceSelector !== undefined) {
      this.#selecting.add(entry);
      return entry;
    }
    for (const namespace of term.namespaces) {
      const bucket = this.#byNamespace.get(namespace);
      if (bucket === undefined) this.#byNamespace.set(namespace, new Set([entry]));
      else bucket.add(entry);
    }
    return entry;
  }

  #drop(entry: Entry): void {
    this.#byId.delete(entry.term.id);
    this.#selecting.delete(entry);
    for (const namespace of entry.term.namespaces) {
      const bucket = this.#byNamespace.get(namespace);
      bucket?.delete(entry);
      if (bucket?.size === 0) this.#byNamespace.delete(namespace);
    }
  }
}
