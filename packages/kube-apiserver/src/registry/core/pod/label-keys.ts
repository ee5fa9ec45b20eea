import type { Pod } from '@orrery/api/core/v1';
import type { Draft, LabelSelector } from '@orrery/apimachinery';

type Labels = Readonly<Record<string, string>>;

/**
 * Turns `matchLabelKeys` and `mismatchLabelKeys` into requirements with the pod's own label values, once, when the pod is created
 * (KEP-3633, KEP-3243). Source: mutatePodAffinity, mutateTopologySpreadConstraints.
 */
export function applyLabelKeys({ spec, metadata }: Draft<Pod>): void {
  const labels: Labels = metadata.labels ?? {};
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    const terms = [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
    ];
    for (const { labelSelector, matchLabelKeys, mismatchLabelKeys } of terms.filter((term) => term !== undefined)) {
      require(labelSelector, matchLabelKeys, 'In', labels);
      require(labelSelector, mismatchLabelKeys, 'NotIn', labels);
    }
  }
  for (const { labelSelector, matchLabelKeys } of spec.topologySpreadConstraints ?? [])
    require(labelSelector, matchLabelKeys, 'In', labels);
}

function require(
  selector: Draft<LabelSelector> | undefined,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Labels,
): void {
  if (selector === undefined) return; // No selector takes nothing; it must stay so.
  for (const key of keys ?? []) {
    const value = labels[key];
    if (value !== undefined) selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }];
  }
}
