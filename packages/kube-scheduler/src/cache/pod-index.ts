import type { NodeInfo } from './node-info.ts';
import { OwnerTable } from './owner-table.ts';
import type { PodInfo } from './pod-info.ts';

/** Which pods on nodes are counted, and by what. */
export interface CountSpec {
  /** Same id and topology key: same pods. */
  readonly id: string;
  /** Label of nodes to count by; absent: by node name. */
  readonly topologyKey?: string | undefined;
  /** The only namespaces in which pods can match; undefined: any. */
  readonly namespaces: ReadonlySet<string> | undefined;
  /** Must be pure, but for the labels of namespaces: see {@link PodIndex.namespacesChanged}. */
  matches(pod: PodInfo): boolean;
}

/** Number of matching pods by topology value. Values without any are absent. */
export type Counts = ReadonlyMap<string, number>;

interface Count {
  readonly spec: CountSpec;
  readonly counts: Map<string, number>;
}

interface Place {
  readonly pod: PodInfo;
  /** As they were when the pod was counted. */
  readonly labels: Readonly<Record<string, string>>;
  readonly nodeName: string;
}

/** Counts kept at a time; the one that was asked for longest ago makes room. Each costs one match per pod that comes or goes. */
const COUNTS_MAX = 512;

/**
 * Who is where, kept current with every pod that comes or goes: a pod's affinity and spreading are decided without looking at the other
 * pods. What is asked for is counted once over all pods, then followed.
 */
export class PodIndex {
  readonly antiAffinity = new OwnerTable();
  readonly affinity = new OwnerTable();
  /** Preferred terms: weights of anti-affinity are negative. */
  readonly preferred = new OwnerTable();
  readonly #places = new Map<string, Map<string, Place>>(); // By namespace, then uid.
  readonly #counts = new Map<string, Count>(); // Invariant: in order of last use, at most COUNTS_MAX.
  readonly #byNamespace = new Map<string, Set<Count>>(); // Invariant: those of #counts with namespaces, under each of them.
  readonly #anywhere = new Set<Count>(); // Invariant: those of #counts without.

  add(pod: PodInfo, node: NodeInfo): void {
    const place: Place = { pod, labels: node.labels, nodeName: node.name };
    const bucket = this.#places.get(pod.namespace);
    if (bucket === undefined) this.#places.set(pod.namespace, new Map([[pod.uid, place]]));
    else bucket.set(pod.uid, place);
    this.#follow(place, 1);
  }

  remove({ namespace, uid }: PodInfo): void {
    const bucket = this.#places.get(namespace);
    const place = bucket?.get(uid);
    if (bucket === undefined || place === undefined) return;
    bucket.delete(uid);
    if (bucket.size === 0) this.#places.delete(namespace);
    this.#follow(place, -1);
  }

  /** Live: changes with later events, so it is good for one scheduling cycle. */
  count(spec: CountSpec): Counts {
    const id = `${spec.topologyKey ?? ''}\u0000${spec.id}`;
    let count = this.#counts.get(id);
    if (count === undefined) count = this.#begin(spec);
    else this.#counts.delete(id);
    this.#counts.set(id, count);
    if (this.#counts.size > COUNTS_MAX) this.#forgetOldest();
    return count.counts;
  }

  /** Labels of namespaces changed: what was counted by them is counted anew when it is asked for. */
  namespacesChanged(): void {
    this.#counts.clear();
    this.#byNamespace.clear();
    this.#anywhere.clear();
  }

  #follow(place: Place, sign: 1 | -1): void {
    const { pod, labels } = place;
    if (pod.hasAffinity) {
      for (const term of pod.requiredAntiAffinity) this.antiAffinity.add(term, labels, sign, sign);
      for (const term of pod.requiredAffinity) this.affinity.add(term, labels, sign, sign);
      for (const { term, weight } of pod.preferredAffinity) this.preferred.add(term, labels, sign * weight, sign);
      for (const { term, weight } of pod.preferredAntiAffinity) this.preferred.add(term, labels, -sign * weight, sign);
    }
    const bucket = this.#byNamespace.get(pod.namespace);
    if (bucket !== undefined) for (const count of bucket) tally(count, place, sign);
    for (const count of this.#anywhere) tally(count, place, sign);
  }

  #begin(spec: CountSpec): Count {
    const count: Count = { spec, counts: new Map() };
    if (spec.namespaces === undefined) this.#anywhere.add(count);
    for (const namespace of spec.namespaces ?? []) {
      const bucket = this.#byNamespace.get(namespace);
      if (bucket === undefined) this.#byNamespace.set(namespace, new Set([count]));
      else bucket.add(count);
    }
    for (const namespace of spec.namespaces ?? this.#places.keys()) {
      for (const place of this.#places.get(namespace)?.values() ?? []) tally(count, place, 1);
    }
    return count;
  }

  #forgetOldest(): void {
    for (const [id, count] of this.#counts) {
      this.#counts.delete(id);
      this.#anywhere.delete(count);
      for (const namespace of count.spec.namespaces ?? []) {
        const bucket = this.#byNamespace.get(namespace);
        bucket?.delete(count);
        if (bucket?.size === 0) this.#byNamespace.delete(namespace);
      }
      return;
    }
  }
}

function tally({ spec, counts }: Count, { pod, labels, nodeName }: Place, sign: 1 | -1): void {
  const value = spec.topologyKey === undefined ? nodeName : labels[spec.topologyKey];
  if (value === undefined || !spec.matches(pod)) return;
  const sum = (counts.get(value) ?? 0) + sign;
  if (sum === 0) counts.delete(value);
  else counts.set(value, sum);
}
