import type { Pod, PodAffinityTerm } from '@orrery/api/core/v1';
import { newRequirement, type ParsedLabelSelector, selectorFromLabelSelector, selectorFromRequirements } from '@orrery/apimachinery';

export type Labels = { readonly [key: string]: string } | undefined;
/** Labels of a namespace by its name; undefined when there is no such namespace. */
export type NamespaceLabels = (namespace: string) => Labels;

/** A term of pod affinity or anti-affinity, parsed. Terms with the same `id` accept the same pods in the same topology. */
export interface AffinityTerm {
  /** Canonical: topology key and everything that decides which pods match. */
  readonly id: string;
  readonly topologyKey: string;
  readonly namespaces: ReadonlySet<string>;
  readonly selector: ParsedLabelSelector;
  /** Undefined when only `namespaces` counts. */
  readonly namespaceSelector: ParsedLabelSelector | undefined;
}

export interface WeightedTerm {
  readonly term: AffinityTerm;
  readonly weight: number;
}

/** @throws StatusError when a selector cannot be parsed: admission lets none pass. */
export function parseTerm(pod: Pod, term: PodAffinityTerm): AffinityTerm {
  const { topologyKey } = term;
  const named = term.namespaces ?? [];
  // Without namespaces and selector a term is about the pod's own namespace.
  const own = named.length === 0 && term.namespaceSelector === undefined ? [pod.metadata.namespace ?? ''] : [];
  const namespaces = new Set([...named, ...own]);
  const namespaceSelector = term.namespaceSelector === undefined ? undefined : selectorFromLabelSelector(term.namespaceSelector);
  const selector = withLabelKeys(pod, selectorFromLabelSelector(term.labelSelector), term.matchLabelKeys, term.mismatchLabelKeys);
  const where = namespaceSelector === undefined ? '' : `${namespaceSelector.nothing ? '!' : '?'}${namespaceSelector.toString()}`;
  const what = `${selector.nothing ? '!' : ''}${selector.toString()}`;
  const id = `${topologyKey}|${[...namespaces].sort().join(',')}|${where}|${what}`;
  return { id, topologyKey, namespaces, selector, namespaceSelector };
}

/** Adds the pod's own values of `match` as `in`, of `mismatch` as `notin`; the API server has done so already where it is new enough. */
export function withLabelKeys(
  pod: Pod,
  selector: ParsedLabelSelector,
  match: readonly string[] = [],
  mismatch: readonly string[] = [],
): ParsedLabelSelector {
  if (selector.nothing || (match.length === 0 && mismatch.length === 0)) return selector;
  const labels = pod.metadata.labels ?? {};
  const added = [...match.map((key) => ({ key, operator: 'in' }) as const), ...mismatch.map((key) => ({ key, operator: 'notin' }) as const)]
    .filter(({ key }) => labels[key] !== undefined)
    .map(({ key, operator }) => newRequirement(key, operator, [labels[key] ?? '']))
    .filter((added) => !selector.requirements.some((known) => known.key === added.key && known.operator === added.operator));
  return added.length === 0 ? selector : selectorFromRequirements([...selector.requirements, ...added]);
}

/** Whether `pod` is one of those that the term speaks about. */
export function termMatches(term: AffinityTerm, namespace: string, labels: Labels, namespaceLabels: NamespaceLabels): boolean {
  if (!term.selector.matches(labels)) return false;
  if (term.namespaces.has(namespace)) return true;
  return term.namespaceSelector?.matches(namespaceLabels(namespace) ?? {}) === true;
}
