import { describe, expect, test } from 'vitest';
import { deferred, newKeyedMutex, newMutex } from './index.ts';

describe('newMutex', () => {
  test('runs one at a time, in order, past failures', async () => {
    const mutex = newMutex();
    const seen: string[] = [];
    const gate = deferred<void>();
    const first = mutex.run(async () => {
      await gate.promise;
      seen.push('first');
      throw new Error('first failed');
    });
    const second = mutex.run(() => seen.push('second'));
    gate.resolve();
    await expect(first).rejects.toThrow('first failed');
    await second;
    expect(seen).toEqual(['first', 'second']);
    expect(mutex.busy).toBe(false);
  });
  test('an abort ends a wait at once, and never a run', async () => {
    const mutex = newMutex();
    const gate = deferred<string>();
    const controller = new AbortController();
    const running = mutex.run(() => gate.promise, controller.signal);
    await Promise.resolve();
    await Promise.resolve();
    let ran = false;
    const waiting = mutex.run(() => {
      ran = true;
    }, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    gate.resolve('done');
    expect(await running).toBe('done');
    expect(await mutex.run(() => 'next')).toBe('next');
    expect(ran).toBe(false);
  });
});

describe('newKeyedMutex', () => {
  test('keys do not wait for each other; one key runs in order', async () => {
    const mutex = newKeyedMutex<string>();
    const gate = deferred<void>();
    const seen: string[] = [];
    const a1 = mutex.run('a', async () => {
      await gate.promise;
      seen.push('a1');
    });
    const a2 = mutex.run('a', () => seen.push('a2'));
    await mutex.run('b', () => seen.push('b'));
    gate.resolve();
    await Promise.all([a1, a2]);
    expect(seen).toEqual(['b', 'a1', 'a2']);
  });
});
