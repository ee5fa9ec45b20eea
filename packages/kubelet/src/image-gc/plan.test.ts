import { expect, test } from 'vitest';
import { type CollectableImage, planImageGc } from './plan.ts';

const image = (id: string, fields: Partial<CollectableImage> = {}): CollectableImage => ({
  id,
  sizeBytes: 5,
  pinned: false,
  detectedAtMs: 0,
  lastUsedAtMs: 0,
  ...fields,
});
const now = 1_000_000;

test.each<[string, CollectableImage[], number, string[], number]>([
  ['below the threshold', [image('a')], 16, [], 0],
  ['at the threshold, oldest use first', [image('new', { lastUsedAtMs: 9 }), image('old', { lastUsedAtMs: 1 })], 15, ['old'], 0],
  ['as many as are needed', [image('a'), image('b'), image('c')], 10, ['a', 'b'], 0],
  [
    'never what is in use, pinned or young',
    [image('used'), image('p', { pinned: true }), image('y', { detectedAtMs: now - 119_999 })],
    15,
    [],
    5,
  ],
  ['short when there is too little', [image('a')], 0, ['a'], 15],
])('%s', (_, images, availableBytes, removed, shortBytes) => {
  const plan = planImageGc(images, new Set(['used']), { capacityBytes: 100, availableBytes }, now);
  expect(plan.remove.map(({ id }) => id)).toEqual(removed);
  expect(plan.shortBytes).toBe(shortBytes);
});
