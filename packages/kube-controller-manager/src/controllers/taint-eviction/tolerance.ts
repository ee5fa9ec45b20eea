import type { Taint, Toleration } from '@orrery/api/core/v1';

/** Whether the toleration covers the taint. Source: Toleration.ToleratesTaint. */
export function tolerates({ key = '', operator = '', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  const taintValue = taint.value ?? '';
  switch (operator) {
    case '':
    case 'Equal':
      return value === taintValue;
    case 'Exists':
      return true;
    case 'Lt':
    case 'Gt':
      return compares(operator, taintValue, value);
    default:
      return false;
  }
}

/** Whole numbers only. Source: KEP-5471. */
function compares(operator: 'Lt' | 'Gt', taintValue: string, value: string): boolean {
  const integer = /^(0|-?[1-9]\d*)$/;
  if (!integer.test(taintValue) || !integer.test(value)) return false;
  return operator === 'Lt' ? BigInt(taintValue) < BigInt(value) : BigInt(taintValue) > BigInt(value);
}

export const noExecuteTaints = (taints: readonly Taint[] | undefined): readonly Taint[] =>
  (taints ?? []).filter(({ effect }) => effect === 'NoExecute');

/**
 * How long a pod may stay on a node with these `NoExecute` taints: 0 when it must go now, Infinity when it may stay for good, otherwise
 * the shortest `tolerationSeconds` of the tolerations that are used, in milliseconds.
 */
export function toleratedMs(taints: readonly Taint[], tolerations: readonly Toleration[]): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const used = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (used.length === 0) return 0;
    for (const { tolerationSeconds } of used) {
      if (tolerationSeconds !== undefined) shortest = Math.min(shortest, Math.max(0, tolerationSeconds) * 1000);
    }
  }
  return shortest;
}
