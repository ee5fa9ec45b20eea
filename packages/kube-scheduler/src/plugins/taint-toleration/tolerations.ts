import type { Taint, Toleration } from '@orrery/api/core/v1';

type Tolerations = readonly Toleration[] | undefined;

/** Source: Toleration.ToleratesTaint. */
export function tolerates({ key = '', operator = '', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === '' || operator === 'Equal') return value === (taint.value ?? '');
  if (operator === 'Exists') return true;
  if (operator !== 'Lt' && operator !== 'Gt') return false;
  // KEP-5471: numeric comparison of the taint's value with the toleration's.
  const bound = integer(value);
  const actual = integer(taint.value ?? '');
  if (bound === undefined || actual === undefined) return false;
  return operator === 'Lt' ? actual < bound : actual > bound;
}

const integer = (text: string): number | undefined => (/^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : undefined);

export const isTolerated = (taint: Taint, tolerations: Tolerations): boolean =>
  tolerations?.some((toleration) => tolerates(toleration, taint)) === true;

/** The first taint that keeps the pod off the node: `NoSchedule` and `NoExecute` do. */
export function untoleratedTaint(taints: readonly Taint[], tolerations: Tolerations): Taint | undefined {
  for (const taint of taints) {
    if ((taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !isTolerated(taint, tolerations)) return taint;
  }
  return undefined;
}
