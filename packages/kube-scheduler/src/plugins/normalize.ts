import { SCORE_MAX } from '../framework/plugin.ts';

/**
 * Stretches scores so that the highest becomes 100, in place, rounded down.
 * @param reverse - The lowest is best: 0 becomes 100, the highest 0.
 */
export function normalize(scores: number[], reverse: boolean): void {
  let max = 0;
  for (const score of scores) if (score > max) max = score;
  for (let at = 0; at < scores.length; at += 1) {
    const share = max === 0 ? 0 : Math.trunc((SCORE_MAX * (scores[at] ?? 0)) / max);
    scores[at] = reverse ? SCORE_MAX - share : share;
  }
}
