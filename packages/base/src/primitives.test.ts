import { describe, expect, test } from 'vitest';
import {
  AssertionError,
  abortable,
  aborted,
  anySignal,
  assert,
  assertNever,
  backoffDelayMs,
  deferred,
  newDisposer,
  newSeededRandom,
  newVirtualClock,
  systemRandom,
  timeoutSignal,
  withJitter,
} from './index.ts';

describe('assert', () => {
  test('throws AssertionError with its message', () => {
    expect(() => assert(false, () => 'broken')).toThrow(new AssertionError('broken'));
    expect(() => assertNever('x' as never)).toThrow('unexpected value: "x"');
    assert(true, 'fine');
  });
});

describe('backoffDelayMs', () => {
  const policy = { baseDelayMs: 5, maxDelayMs: 1000 };
  test.each([
    [1, 5],
    [2, 10],
    [8, 640],
    [9, 1000],
    [10_000, 1000],
  ])('after %i failures: %i ms', (failures, delayMs) => expect(backoffDelayMs(failures, policy)).toBe(delayMs));
  test.each([0, -1, 1.5, Number.NaN])('%d failures is a caller bug', (failures) => {
    expect(() => backoffDelayMs(failures, policy)).toThrow(AssertionError);
  });
  test('withJitter() only adds', () => {
    const random = newSeededRandom(1);
    for (let round = 0; round < 100; round += 1) {
      const delayMs = withJitter(100, 0.5, random);
      expect(delayMs >= 100 && delayMs < 150).toBe(true);
    }
  });
});

describe.each([
  ['systemRandom', () => systemRandom],
  ['newSeededRandom', () => newSeededRandom(42)],
])('%s', (_, make) => {
  test('stays in its ranges', () => {
    const random = make();
    for (let round = 0; round < 1000; round += 1) {
      const float = random.float();
      expect(float >= 0 && float < 1).toBe(true);
      const integer = random.integer(3);
      expect([0, 1, 2]).toContain(integer);
    }
    expect(random.bytes(17)).toHaveLength(17);
    expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('newSeededRandom', () => {
  test('same seed, same numbers; near seeds differ', () => {
    const draw = (seed: number): string => newSeededRandom(seed).uuid();
    expect(draw(7)).toBe(draw(7));
    expect(new Set(Array.from({ length: 1000 }, (_, seed) => draw(seed))).size).toBe(1000);
  });
  test('is even enough', () => {
    const random = newSeededRandom(3);
    const counts = new Array<number>(10).fill(0);
    for (let round = 0; round < 100_000; round += 1) {
      const bucket = random.integer(10);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

describe('newDisposer', () => {
  test('undoes in reverse order, once, past failures', async () => {
    const seen: string[] = [];
    const disposer = newDisposer();
    disposer.defer(() => void seen.push('a'));
    disposer.defer(async () => {
      throw new Error('b failed');
    });
    disposer.use({ [Symbol.dispose]: () => void seen.push('c') });
    disposer.use({ [Symbol.asyncDispose]: async () => void seen.push('d') });
    await expect(disposer.dispose()).rejects.toThrow('b failed');
    await expect(disposer.dispose()).rejects.toThrow('b failed');
    expect(seen).toEqual(['d', 'c', 'a']);
    expect(() => disposer.defer(() => undefined)).toThrow(AssertionError);
  });
  test('several failures are told together', async () => {
    const disposer = newDisposer();
    for (const name of ['a', 'b']) {
      disposer.defer(() => {
        throw new Error(name);
      });
    }
    await expect(disposer.dispose()).rejects.toBeInstanceOf(AggregateError);
  });
});

describe('signals', () => {
  test('anySignal() takes the reason of the first', () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const any = anySignal(a.signal, undefined, b.signal);
    b.abort(new Error('b'));
    a.abort(new Error('a'));
    expect(any.signal.reason).toEqual(new Error('b'));
    expect(anySignal(a.signal).signal.aborted).toBe(true);
  });
  test('a disposed anySignal() listens no more', () => {
    const source = new AbortController();
    const any = anySignal(source.signal);
    any.dispose();
    source.abort();
    expect(any.signal.aborted).toBe(false);
  });
  test('timeoutSignal() aborts on its clock', async () => {
    const clock = newVirtualClock();
    const [kept, dropped] = [timeoutSignal(clock, 100), timeoutSignal(clock, 100)];
    dropped.dispose();
    await clock.advance(100);
    expect(kept.signal.reason).toMatchObject({ name: 'TimeoutError' });
    expect(dropped.signal.aborted).toBe(false);
  });
  test('abortable() settles with whichever comes first', async () => {
    const controller = new AbortController();
    expect(await abortable(Promise.resolve(1), controller.signal)).toBe(1);
    const never = abortable(deferred<void>().promise, controller.signal);
    const waited = aborted(controller.signal);
    controller.abort(new Error('stop'));
    await expect(never).rejects.toThrow('stop');
    await waited;
    await expect(abortable(Promise.resolve(1), controller.signal)).rejects.toThrow('stop');
  });
});
