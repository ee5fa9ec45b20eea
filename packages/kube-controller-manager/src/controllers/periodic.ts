import type { KubeObject } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { Informer } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { Runnable } from '@orrery/controller';

export interface PeriodicOptions {
  /** Public: used in logs. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly periodMs: number;
  /** Run, and synced before the first tick. */
  readonly reads: readonly Pick<Informer<KubeObject>, 'run' | 'waitForSync'>[];
  /** Looks at everything. What it rejects with is logged; the next tick tries again. */
  tick(signal: AbortSignal): Promise<void>;
}

/** A controller that looks around at intervals, because the passing of time is what it acts upon. Ticks never overlap. */
export function newPeriodic({ name, clock, log, periodMs, reads, tick }: PeriodicOptions): Runnable {
  const ticks = async (signal: AbortSignal): Promise<void> => {
    try {
      await Promise.all(reads.map((informer) => informer.waitForSync(signal)));
      for (;;) {
        await tick(signal).catch((error: unknown) => {
          if (!signal.aborted) log.warn('a round failed; the next one tries again', { controller: name, error });
        });
        await clock.sleep(periodMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  return {
    async run(signal) {
      await Promise.all([...reads.map((informer) => informer.run(signal)), ticks(signal)]);
    },
  };
}
