import { describe, expect, test } from 'vitest';
import { newQueue } from './index.ts';

const collect = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
};

describe('newQueue', () => {
  test('gives items in order, also those pushed before the consumer came', async () => {
    const queue = newQueue<number>({ capacity: 10 });
    queue.push(1);
    const items = collect(queue);
    queue.push(2);
    queue.push(3);
    queue.close();
    expect(await items).toEqual([1, 2, 3]);
  });
  test('push() tells when it is full, and takes again when there is room', async () => {
    const queue = newQueue<number>({ capacity: 2 });
    expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false]);
    await queue[Symbol.asyncIterator]().next();
    expect(queue.push(4)).toBe(true);
    expect(queue.size).toBe(2);
  });
  test('close(error) gives what waits, then fails', async () => {
    const queue = newQueue<number>({ capacity: 2 });
    queue.push(1);
    queue.close(new Error('gone'));
    const iterator = queue[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    await expect(iterator.next()).rejects.toThrow('gone');
    expect(queue.push(2)).toBe(false);
  });
  test('abort() drops what waits and ends waiting consumers', async () => {
    const queue = newQueue<number>({ capacity: 2 });
    const items = collect(queue);
    queue.abort();
    expect(await items).toEqual([]);
  });
  test('keeps order through many pushes and takes', async () => {
    const queue = newQueue<number>({ capacity: 5000 });
    for (let index = 0; index < 5000; index += 1) queue.push(index);
    queue.close();
    expect(await collect(queue)).toEqual(Array.from({ length: 5000 }, (_, index) => index));
  });
});
