import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deploymentOf, setOf } from '../testing/objects.ts';
import { availableSum, boundsOf, maxUnavailableOf, replicasOf, wantedSum } from './bounds.ts';
import { newSetReplicas, resizeNewSet, resizeOldSets } from './rollout.ts';

const rolling = (replicas: number, maxSurge: number | string, maxUnavailable: number | string) =>
  deploymentOf({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } });

describe('boundsOf', () => {
  const cases = [
    {
      name: 'percentages round in favour of progress and of safety',
      replicas: 10,
      surge: '25%',
      unavailable: '25%',
      want: { maxSurge: 3, maxUnavailable: 2 },
    },
    { name: 'nothing and nothing would stand still', replicas: 10, surge: 0, unavailable: 0, want: { maxSurge: 0, maxUnavailable: 1 } },
    { name: 'small percentages of few', replicas: 1, surge: '0%', unavailable: '25%', want: { maxSurge: 0, maxUnavailable: 1 } },
  ];
  for (const { name, replicas, surge, unavailable, want } of cases)
    test(name, () => expect(boundsOf(rolling(replicas, surge, unavailable))).toEqual(want));
  test('recreate has none', () =>
    expect(boundsOf(deploymentOf({ strategy: { type: 'Recreate' } }))).toEqual({ maxSurge: 0, maxUnavailable: 0 }));
  test('never more missing than there are', () => expect(maxUnavailableOf(rolling(2, 0, 5))).toBe(2));
});

describe('newSetReplicas', () => {
  const cases = [
    { name: 'first rollout', sets: [], current: 0, want: 10 },
    { name: 'surge is the room', sets: [10], current: 0, want: 2 },
    { name: 'no room', sets: [10, 2], current: 2, want: 2 },
    { name: 'old ones made room', sets: [7, 2], current: 2, want: 5 },
    { name: 'never more than wanted', sets: [1, 9], current: 9, want: 10 },
  ];
  for (const { name, sets, current, want } of cases) {
    test(name, () =>
      expect(
        newSetReplicas(
          rolling(10, 2, 2),
          sets.map((replicas, i) => setOf(`s${i}`, { replicas })),
          current,
        ),
      ).toBe(want),
    );
  }
});

describe('resizeOldSets', () => {
  test('available pods go as far as enough stay', () => {
    const [oldSet, newSet] = [setOf('old', { replicas: 10 }), setOf('new', { replicas: 2, available: 0 })];
    expect(resizeOldSets(rolling(10, 2, 2), [oldSet, newSet], [oldSet], newSet)).toEqual([{ set: oldSet, replicas: 8 }]);
  });
  test('what is broken goes first', () => {
    const broken = setOf('broken', { replicas: 4, available: 0, createdAt: '2026-01-02T00:00:00Z' });
    const healthy = setOf('healthy', { replicas: 8 });
    const newSet = setOf('new', { replicas: 0 });
    expect(resizeOldSets(rolling(10, 2, 2), [broken, healthy, newSet], [broken, healthy], newSet)).toEqual([{ set: broken, replicas: 0 }]);
  });
});

test('a rollout always ends, never exceeds its surge and never falls below what must be available', () => {
  const bound = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom('0%', '25%', '50%', '100%'));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      bound,
      bound,
      fc.array(fc.boolean(), { minLength: 400, maxLength: 400 }),
      (replicas, surge, unavailable, coin) => {
        const deployment = rolling(replicas, surge, unavailable);
        const { maxSurge } = boundsOf(deployment);
        let oldSet = setOf('old', { replicas });
        let newSet = setOf('new', { replicas: 0 });
        for (let step = 0; step < 400; step += 1) {
          const sets = [oldSet, newSet];
          expect(wantedSum(sets)).toBeLessThanOrEqual(replicas + maxSurge);
          expect(availableSum(sets)).toBeGreaterThanOrEqual(replicas - maxUnavailableOf(deployment));
          if (replicasOf(oldSet) === 0 && newSet.status.availableReplicas === replicas) return;
          const up = resizeNewSet(deployment, sets, newSet);
          const down = up === undefined ? resizeOldSets(deployment, sets, [oldSet], newSet) : [];
          if (up !== undefined) newSet = setOf('new', { replicas: up.replicas, available: newSet.status.availableReplicas ?? 0 });
          for (const { replicas: size } of down) oldSet = setOf('old', { replicas: size });
          // Now and then one more new pod becomes available.
          const available = newSet.status.availableReplicas ?? 0;
          if ((coin[step] === true || (up === undefined && down.length === 0)) && available < replicasOf(newSet))
            newSet = setOf('new', { replicas: replicasOf(newSet), available: available + 1 });
        }
        throw new Error('the rollout did not end');
      },
    ),
    { numRuns: 100 },
  );
});
