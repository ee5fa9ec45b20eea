import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deploymentOf, setOf } from '../testing/objects.ts';
import { DESIRED_REPLICAS, MAX_REPLICAS } from './annotations.ts';
import { boundsOf, wantedSum } from './bounds.ts';
import { isScalingEvent, scaleSets } from './scaling.ts';

const sized = (name: string, replicas: number, desired: number, max: number, createdAt: string) =>
  setOf(name, { replicas, createdAt, annotations: { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(max) } });
const [DAY1, DAY2, DAY3] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'];
const surge = (replicas: number, maxSurge: number) =>
  deploymentOf({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: 0 } } });

describe('isScalingEvent', () => {
  test('the wanted number changed', () => expect(isScalingEvent(deploymentOf({ replicas: 5 }), [sized('a', 3, 3, 4, DAY1)])).toBe(true));
  test('it did not', () => expect(isScalingEvent(deploymentOf({ replicas: 3 }), [sized('a', 3, 3, 4, DAY1)])).toBe(false));
  test('empty sets do not count', () => expect(isScalingEvent(deploymentOf({ replicas: 3 }), [sized('a', 0, 9, 9, DAY1)])).toBe(false));
});

describe('scaleSets', () => {
  test('one set takes it all', () => {
    const set = sized('a', 3, 3, 4, DAY1);
    expect(scaleSets(surge(7, 1), set, [])).toEqual([{ set, replicas: 7 }]);
  });

  test('in the middle of a rollout each set keeps its part; the rest goes to the largest', () => {
    const [oldSet, newSet] = [sized('old', 8, 10, 13, DAY1), sized('new', 5, 10, 13, DAY2)];
    const sizes = scaleSets(surge(20, 6), newSet, [oldSet]);
    expect(Object.fromEntries(sizes.map(({ set, replicas }) => [set.metadata.name, replicas]))).toEqual({ old: 16, new: 10 });
  });

  test('down to nothing', () => {
    const [oldSet, newSet] = [sized('old', 8, 10, 13, DAY1), sized('new', 5, 10, 13, DAY2)];
    expect(scaleSets(surge(0, 3), newSet, [oldSet]).map(({ replicas }) => replicas)).toEqual([0, 0]);
  });

  test('sizes always sum up to what is allowed', () => {
    const size = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(size, size, size, fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 20 }), (a, b, c, replicas, maxSurge) => {
        const before = a + b + c;
        const sets = [sized('a', a, before, before, DAY1), sized('b', b, before, before, DAY2), sized('c', c, before, before, DAY3)];
        const deployment = { ...surge(replicas, maxSurge), status: { replicas: before } };
        const [newest, ...others] = [...sets].reverse();
        const sizes = scaleSets(deployment, newest, others);
        const allowed = replicas > 0 ? replicas + boundsOf(deployment).maxSurge : 0;
        expect(sizes.reduce((sum, { replicas: one }) => sum + one, 0)).toBe(allowed);
        expect(sizes.every(({ replicas: one }) => one >= 0)).toBe(true);
        expect(wantedSum(sets)).toBe(before);
      }),
    );
  });
});
