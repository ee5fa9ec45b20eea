/** Linear interpolation between the closest ranks; NaN without samples. */
export function percentileOf(samples: readonly number[], fraction: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

const SAMPLES_FOR_PERCENTILES = 10; // Fewer: the extremes say more.

export interface Spread {
  readonly kind: 'min–max' | 'p10–p90';
  readonly low: number;
  readonly high: number;
}

export function spreadOf(samples: readonly number[]): Spread {
  const [kind, margin] = samples.length < SAMPLES_FOR_PERCENTILES ? (['min–max', 0] as const) : (['p10–p90', 0.1] as const);
  return { kind, low: percentileOf(samples, margin), high: percentileOf(samples, 1 - margin) };
}
