import type { Clock, Random } from '@orrery/base';
import type { Upstream } from './resolv-conf.ts';

/** Remembers which servers did not answer. */
export interface UpstreamHealth {
  /** All of them: in random order those that answer, then the others. */
  inOrder(upstreams: readonly Upstream[]): readonly Upstream[];
  note(upstream: Upstream, answered: boolean): void;
}

/** As CoreDNS's `max_fails 2`. */
const FAILURES_MAX = 2;
const DOWN_MS = 10_000;

export function newUpstreamHealth(clock: Clock, random: Random): UpstreamHealth {
  /** Only servers whose last questions failed. */
  const failing = new Map<string, { failures: number; untilMs: number }>();
  const isDown = (upstream: Upstream): boolean => {
    const entry = failing.get(keyOf(upstream));
    return entry !== undefined && entry.failures >= FAILURES_MAX && clock.monotonicMs() < entry.untilMs;
  };
  return {
    inOrder(upstreams) {
      const up = shuffled(
        upstreams.filter((upstream) => !isDown(upstream)),
        random,
      );
      return [...up, ...shuffled(upstreams.filter(isDown), random)];
    },
    note(upstream, answered) {
      const key = keyOf(upstream);
      if (answered) failing.delete(key);
      else failing.set(key, { failures: (failing.get(key)?.failures ?? 0) + 1, untilMs: clock.monotonicMs() + DOWN_MS });
    },
  };
}

const keyOf = ({ address, port = 53 }: Upstream): string => `${address} ${port}`;

/** A new array in random order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: Pick<Random, 'integer'>): readonly T[] {
  if (items.length < 2) return items;
  const out = [...items];
  for (let last = out.length - 1; last > 0; last -= 1) {
    const at = random.integer(last + 1);
    [out[last], out[at]] = [out[at] as T, out[last] as T];
  }
  return out;
}
