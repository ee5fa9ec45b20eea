import type { Toleration } from '@orrery/api/core/v1';
import { semanticEqual } from '../../registry/semantic-equal.ts';

/** Whether `wide` tolerates all that `narrow` does. */
function covers(wide: Toleration, narrow: Toleration): boolean {
  if (semanticEqual(wide, narrow)) return true;
  const everyKey = (wide.key ?? '') === '' && wide.operator === 'Exists';
  if ((wide.key ?? '') !== (narrow.key ?? '') && !everyKey) return false;
  if ((wide.effect ?? '') !== (narrow.effect ?? '') && (wide.effect ?? '') !== '') return false;
  const [most, least] = [wide.tolerationSeconds, narrow.tolerationSeconds];
  if (wide.effect === 'NoExecute' && most !== undefined && (least === undefined || least > most)) return false;
  if (wide.operator === 'Exists') return true;
  if ((wide.operator ?? '') !== '' && wide.operator !== 'Equal') return false;
  return (wide.operator ?? '') === (narrow.operator ?? '') && (wide.value ?? '') === (narrow.value ?? '');
}

/** Both lists as one, without what another toleration of them covers. Source: tolerations.MergeTolerations. */
export function mergeTolerations(first: readonly Toleration[], second: readonly Toleration[]): readonly Toleration[] {
  const all = [...first, ...second];
  const merged: Toleration[] = [];
  for (const [index, toleration] of all.entries()) {
    const later = all.slice(index + 1).filter((other) => !semanticEqual(other, toleration));
    if ([...merged, ...later].some((other) => covers(other, toleration))) continue;
    merged.push(toleration);
  }
  return merged;
}
