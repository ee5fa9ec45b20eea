import { describe, expect, test } from 'vitest';
import { newVirtualClock, realClock } from './index.ts';

describe('realClock', () => {
  test('after() never fires early', async () => {
    const started = realClock.monotonicMs();
    await realClock.sleep(15);
    expect(realClock.monotonicMs() - started).toBeGreaterThanOrEqual(15);
  });
  test('a cancelled timer does not fire', async () => {
    let fired = false;
    realClock.after(1, () => (fired = true)).cancel();
    await realClock.sleep(10);
    expect(fired).toBe(false);
  });
  test('sleep() rejects with the reason of an abort', async () => {
    const controller = new AbortController();
    const sleep = realClock.sleep(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(sleep).rejects.toThrow('enough');
    await expect(realClock.sleep(1, controller.signal)).rejects.toThrow('enough');
  });
  test('a delay past what Node takes does not fire at once', async () => {
    let fired = false;
    const timer = realClock.after(2 ** 40, () => (fired = true), { background: true });
    await realClock.sleep(5);
    timer.cancel();
    expect(fired).toBe(false);
  });
});

describe('newVirtualClock', () => {
  test('runs timers by due time, then by creation, each at its instant', async () => {
    const clock = newVirtualClock({ startMs: 1000 });
    const seen: string[] = [];
    for (const [name, delayMs] of [
      ['late', 30],
      ['a', 10],
      ['b', 10],
      ['beyond', 51],
    ] as const) {
      clock.after(delayMs, () => seen.push(`${name}@${clock.now()}`));
    }
    await clock.advance(50);
    expect(seen).toEqual(['a@1010', 'b@1010', 'late@1030']);
    expect(clock.now()).toBe(1050);
    expect(clock.monotonicMs()).toBe(50);
    expect(clock.pendingTimers).toBe(1);
  });
  test('lets chains of promises settle before the next timer', async () => {
    const clock = newVirtualClock();
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for (let round = 0; round < 5; round += 1) {
        await clock.sleep(10);
        for (let depth = 0; depth < 20; depth += 1) await Promise.resolve();
        seen.push(clock.monotonicMs());
      }
    };
    const done = loop();
    await clock.advance(50);
    await done;
    expect(seen).toEqual([10, 20, 30, 40, 50]);
  });
  test('cancel() counts once, also after the timer fired', async () => {
    const clock = newVirtualClock();
    const timer = clock.after(1, () => undefined);
    await clock.advance(1);
    timer.cancel();
    const other = clock.after(1, () => undefined);
    other.cancel();
    other.cancel();
    expect(clock.pendingTimers).toBe(0);
  });
  test('runUntil() jumps to the condition and no further', async () => {
    const clock = newVirtualClock();
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      clock.after(1000, tick);
    };
    clock.after(1000, tick);
    await clock.runUntil(() => ticks === 7);
    expect(clock.monotonicMs()).toBe(7000);
    await expect(clock.runUntil(() => false, { withinMs: 5000 })).rejects.toThrow('5000 ms');
  });
  test('runUntil() fails when nothing is left that could happen', async () => {
    await expect(newVirtualClock().runUntil(() => false)).rejects.toThrow('no timer is left');
  });
  test('runFor() settles as the promise does', async () => {
    const clock = newVirtualClock();
    expect(await clock.runFor(clock.sleep(99).then(() => 'slept'))).toBe('slept');
    await expect(clock.runFor(Promise.reject(new Error('bad')))).rejects.toThrow('bad');
  });
  test('many timers come out in order', async () => {
    const clock = newVirtualClock();
    const seen: number[] = [];
    for (let index = 0; index < 500; index += 1) {
      const delayMs = (index * 7919) % 503;
      clock.after(delayMs, () => seen.push(delayMs));
    }
    await clock.advance(600);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen).toHaveLength(500);
  });
});
