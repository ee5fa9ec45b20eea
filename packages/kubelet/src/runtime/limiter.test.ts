import { deferred } from '@orrery/base';
import { expect, test } from 'vitest';
import { newLimiter } from './limiter.ts';

test('as many at once as allowed, in order, and what has begun goes first', async () => {
  const limiter = newLimiter(2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => (): Promise<void> => {
    begun.push(name);
    const { promise, resolve } = deferred<void>();
    ends.set(name, resolve);
    return promise;
  };
  const all = ['a', 'b', 'c', 'd'].map((name) => limiter.run(work(name)));
  all.push(limiter.runFirst(work('a again')), limiter.runFirst(work('b again')));
  expect(begun).toEqual(['a', 'b']);
  for (const name of ['b', 'a', 'a again', 'b again', 'c', 'd']) {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(all);
  expect(begun).toEqual(['a', 'b', 'a again', 'b again', 'c', 'd']);
});

test('a failure gives its place on', async () => {
  const limiter = newLimiter(1);
  const failed = limiter.run(() => Promise.reject(new Error('no')));
  const next = limiter.run(async () => 'yes');
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
