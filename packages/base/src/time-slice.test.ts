import { describe, expect, test } from 'vitest';
import { newTimeSlice } from './time-slice.ts';
import { newVirtualClock } from './virtual-clock.ts';

describe('time slice', () => {
  test('over after its length, new after a yield', async () => {
    let nowMs = 0;
    const slice = newTimeSlice({ ...newVirtualClock(), isVirtual: false, monotonicMs: () => nowMs }, 10);
    nowMs = 9;
    expect(slice.over).toBe(false);
    nowMs = 10;
    expect(slice.over).toBe(true);
    await slice.yield();
    expect(slice.over).toBe(false);
  });

  test('never over in virtual time', async () => {
    const clock = newVirtualClock();
    const slice = newTimeSlice(clock);
    await clock.advance(1000);
    expect(slice.over).toBe(false);
  });
});
