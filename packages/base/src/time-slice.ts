import type { Clock } from './clock.ts';
import { nextTurn } from './turn.ts';

/** Measures how long work has kept the event loop to itself. */
export interface TimeSlice {
  /** True once the slice is used up. Never in virtual time: what is done at an instant is done before time moves on. */
  readonly over: boolean;
  /** Lets everybody else run, then begins a new slice. */
  yield(): Promise<void>;
}

/**
 * For loops over much work without I/O: `if (slice.over) await slice.yield();`
 * @param lengthMs - @default 10: long enough to cost nothing, short enough that nobody else notices.
 */
export function newTimeSlice(clock: Clock, lengthMs = 10): TimeSlice {
  let startMs = clock.monotonicMs();
  return {
    get over() {
      return clock.isVirtual !== true && clock.monotonicMs() - startMs >= lengthMs;
    },
    async yield() {
      await nextTurn();
      startMs = clock.monotonicMs();
    },
  };
}
