import { nextTurn } from '@orrery/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAhead } from './read-ahead.ts';

async function* sourceOf(sizes: readonly number[], told: { read: number; ended: boolean }, error?: Error): AsyncGenerator<Buffer> {
  try {
    for (const [index, size] of sizes.entries()) {
      if (index % 3 === 0) await nextTurn();
      told.read += size;
      yield Buffer.alloc(size, index);
    }
    if (error !== undefined) throw error;
  } finally {
    told.ended = true;
  }
}

describe('readAhead', () => {
  test('gives everything in order, whatever the sizes and the room', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(50), { maxLength: 30 }),
        fc.integer({ min: 1, max: 200 }),
        fc.boolean(),
        async (sizes, room, slow) => {
          const told = { read: 0, ended: false };
          const parts: Buffer[] = [];
          for await (const part of readAhead(sourceOf(sizes, told), room)) {
            if (slow) await nextTurn();
            parts.push(part);
          }
          expect(parts).toEqual(sizes.map((size, index) => Buffer.alloc(size, index)));
          expect(told.ended).toBe(true);
        },
      ),
    );
  });

  test('reads before it is asked, and no more than there is room for', async () => {
    const told = { read: 0, ended: false };
    const ahead = readAhead(
      sourceOf(
        Array.from({ length: 100 }, () => 10),
        told,
      ),
      45,
    );
    for (let turns = 0; turns < 50; turns += 1) await nextTurn();
    expect(told.read).toBe(50);
    await ahead.return?.();
    expect(told).toEqual({ read: 50, ended: true });
  });

  test('fails as the source does, after what came before', async () => {
    const parts: number[] = [];
    const reading = (async () => {
      for await (const part of readAhead(sourceOf([1, 2], { read: 0, ended: false }, new Error('broken')), 100)) parts.push(part.length);
    })();
    await expect(reading).rejects.toThrow('broken');
    expect(parts).toEqual([1, 2]);
  });
});
