import { expect, test } from 'vitest';
import { followSize } from './exec.ts';

test('sizes that come at once are applied one after another: the last one stays', async () => {
  async function* sizes(): AsyncGenerator<{ width: number; height: number }> {
    yield { width: 98, height: 32 };
    yield { width: 0, height: 0 };
    yield { width: 97, height: 31 };
  }
  let current = '';
  let turns = 5;
  await followSize(sizes(), async (columns, rows) => {
    for (let i = turns; i > 0; i--) await Promise.resolve(); // The first takes longer than the second.
    turns = 0;
    current = `${columns}x${rows}`;
  });
  expect(current).toBe('97x31');
});
