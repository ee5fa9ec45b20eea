import { newSeededRandom, newVirtualClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { newBucketRateLimiter, newControllerRateLimiter, newItemRateLimiter } from './rate-limiter.ts';
import { newWorkQueue } from './workqueue.ts';

const make = () => {
  const clock = newVirtualClock();
  return { clock, queue: newWorkQueue({ clock, rateLimiter: newItemRateLimiter() }) };
};

describe('work queue', () => {
  test('hands out in order, each key once', async () => {
    const { queue } = make();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(queue.size).toBe(3);
    expect([await queue.get(), await queue.get(), await queue.get()]).toEqual(['a', 'b', 'c']);
  });

  test('a key added while in work comes again after done, and only once', async () => {
    const { queue } = make();
    queue.add('a');
    expect(await queue.get()).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.size).toBe(0);
    queue.done('a');
    expect(queue.size).toBe(1);
    expect(await queue.get()).toBe('a');
    queue.done('a');
    expect(queue.size).toBe(0);
  });

  test('a worker that waits is woken', async () => {
    const { queue } = make();
    const first = queue.get();
    const second = queue.get();
    queue.add('x');
    queue.add('y');
    expect(await Promise.all([first, second])).toEqual(['x', 'y']);
  });

  test('adds of one turn are one piece of work, also when a worker waits', async () => {
    const { queue } = make();
    const waiting = queue.get();
    queue.add('a');
    queue.add('a');
    expect(await waiting).toBe('a');
    queue.done('a');
    expect(queue.size).toBe(0);
  });

  test('a woken worker that finds nothing waits on', async () => {
    const { queue } = make();
    const woken = queue.get();
    queue.add('a');
    expect(await queue.get()).toBe('a');
    queue.add('b');
    expect(await woken).toBe('b');
  });

  test('delayed keys come when due; the earliest of several delays counts', async () => {
    const { clock, queue } = make();
    queue.addAfter('late', 1000);
    queue.addAfter('twice', 900);
    queue.addAfter('twice', 100);
    queue.addAfter('twice', 500);
    queue.addAfter('now', 0);
    expect(queue.size).toBe(1);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(99);
    expect(queue.size).toBe(1);
    await clock.advance(1);
    expect(queue.size).toBe(2);
    await clock.advance(900);
    expect([await queue.get(), await queue.get(), await queue.get()]).toEqual(['now', 'twice', 'late']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('delays come in order of time, whatever the order of adding', async () => {
    const { clock, queue } = make();
    const random = newSeededRandom(7);
    const delays = Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, ms: 1 + random.integer(10_000) }));
    for (const { key, ms } of delays) queue.addAfter(key, ms);
    const got: string[] = [];
    for (let i = 0; i < delays.length; i += 1) {
      const next = queue.get();
      got.push((await clock.runFor(next)) ?? '');
    }
    const msOf = new Map(delays.map(({ key, ms }) => [key, ms]));
    const times = got.map((key) => msOf.get(key) ?? -1);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('failures double the delay until forgotten', async () => {
    const { clock, queue } = make();
    for (const delayMs of [5, 10, 20]) {
      queue.addRateLimited('a');
      await clock.advance(delayMs - 1);
      expect(queue.size).toBe(0);
      await clock.advance(1);
      expect(await queue.get()).toBe('a');
      queue.done('a');
    }
    expect(queue.failures('a')).toBe(3);
    queue.forget('a');
    expect(queue.failures('a')).toBe(0);
  });

  test('shutdown: what waits is handed out, what is delayed is dropped, nothing is taken', async () => {
    const { clock, queue } = make();
    queue.add('a');
    queue.addAfter('b', 10);
    queue.shutDown();
    queue.add('c');
    expect(await queue.get()).toBe('a');
    expect(await queue.get()).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  test('drain waits for work in progress, and for what came during it', async () => {
    const { queue } = make();
    queue.add('a');
    await queue.get();
    queue.add('a');
    let drained = false;
    const draining = queue.drain().then(() => {
      drained = true;
    });
    await Promise.resolve();
    queue.done('a');
    expect(await queue.get()).toBe('a');
    expect(drained).toBe(false);
    queue.done('a');
    await draining;
    expect(drained).toBe(true);
  });

  test('shutdown wakes workers that wait', async () => {
    const { queue } = make();
    const waiting = queue.get();
    queue.shutDown();
    expect(await waiting).toBeUndefined();
  });

  test('done without get is a caller bug', () => {
    expect(() => make().queue.done('a')).toThrow(/without get/);
  });

  test('a long queue stays in order', async () => {
    const { queue } = make();
    const count = 20_000;
    for (let i = 0; i < count; i += 1) queue.add(`k${i}`);
    for (let i = 0; i < count; i += 1) {
      const key = await queue.get();
      if (key !== `k${i}`) throw new Error(`${key} instead of k${i}`);
      queue.done(key);
    }
    expect(queue.size).toBe(0);
  });
});

describe('rate limiters', () => {
  test('per item: 5 ms doubling to 1000 s', () => {
    const limiter = newItemRateLimiter();
    const delays = Array.from({ length: 20 }, () => limiter.delayMs('a'));
    expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(delays.at(-1)).toBe(1_000_000);
    expect(limiter.delayMs('b')).toBe(5);
  });

  test('bucket: the burst passes, then one every 100 ms', async () => {
    const clock = newVirtualClock();
    const limiter = newBucketRateLimiter({ clock, perSecond: 10, burst: 3 });
    expect([1, 2, 3, 4, 5].map(() => limiter.delayMs('x'))).toEqual([0, 0, 0, 100, 200]);
    await clock.advance(1000);
    expect(limiter.delayMs('x')).toBe(0);
  });

  test('controller default: the longer of both', () => {
    const limiter = newControllerRateLimiter(newVirtualClock());
    for (let i = 0; i < 100; i += 1) limiter.delayMs(`k${i}`);
    expect(limiter.delayMs('last')).toBe(100);
    expect(limiter.failures('last')).toBe(1);
  });
});
