import { describe, expect, test } from 'vitest';
import { type PodShape, podOf } from '../testing/objects.ts';
import { crowdingOf, inDeletionOrder } from './deletion-order.ts';

const now = Date.parse('2026-01-02T00:00:00Z');
const ready = '2026-01-01T00:00:00Z';

describe('pods that lose least are deleted first', () => {
  const cases: readonly { name: string; first: PodShape; last: PodShape }[] = [
    { name: 'not placed before placed', first: { node: '', phase: 'Pending' }, last: { phase: 'Pending' } },
    { name: 'pending before running', first: { phase: 'Pending' }, last: {} },
    { name: 'not ready before ready', first: {}, last: { readySince: ready } },
    { name: 'cheap before dear', first: { readySince: ready, cost: '-5' }, last: { readySince: ready, cost: '10' } },
    { name: 'a cost that is no number counts as none', first: { readySince: ready, cost: '-1' }, last: { readySince: ready, cost: '+7' } },
    { name: 'ready for a shorter time first', first: { readySince: '2026-01-01T23:59:59Z' }, last: { readySince: ready } },
    { name: 'restarted more often first', first: { readySince: ready, restarts: 3 }, last: { readySince: ready } },
    {
      name: 'younger first',
      first: { readySince: ready, createdAt: '2026-01-01T23:59:00Z' },
      last: { readySince: ready, createdAt: ready },
    },
  ];
  for (const { name, first, last } of cases) {
    test(name, () => {
      const pods = [podOf('last', last), podOf('first', first)];
      expect(inDeletionOrder(pods, () => 0, now).map(({ metadata }) => metadata.name)).toEqual(['first', 'last']);
    });
  }

  test('on a crowded node first', () => {
    const pods = ['a', 'b', 'b'].map((node, index) => podOf(`p${index}`, { node, readySince: ready }));
    expect(inDeletionOrder(pods, crowdingOf(pods), now)[2]?.spec.nodeName).toBe('a');
  });

  test('ages of one order of magnitude do not decide', () => {
    const pods = [podOf('a', { readySince: '2026-01-01T00:00:00Z' }), podOf('b', { readySince: '2026-01-01T01:00:00Z' })];
    const reversed = [pods[1], pods[0]].flatMap((pod) => (pod === undefined ? [] : [pod]));
    expect(inDeletionOrder(pods, () => 0, now)).toEqual(inDeletionOrder(reversed, () => 0, now)); // The uid decides.
  });
});
