import type { Taint, Toleration } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { toleratedMs, tolerates } from './tolerance.ts';

const taint: Taint = { key: 'k', value: 'v', effect: 'NoExecute' };

describe('tolerates', () => {
  test.each([
    ['everything', { operator: 'Exists' }, true],
    ['the key', { key: 'k', operator: 'Exists' }, true],
    ['another key', { key: 'x', operator: 'Exists' }, false],
    ['key and value', { key: 'k', operator: 'Equal', value: 'v' }, true],
    ['Equal is the default', { key: 'k', value: 'v' }, true],
    ['another value', { key: 'k', value: 'w' }, false],
    ['the effect', { key: 'k', value: 'v', effect: 'NoExecute' }, true],
    ['another effect', { key: 'k', value: 'v', effect: 'NoSchedule' }, false],
    ['an operator that nobody knows', { key: 'k', operator: 'Like', value: 'v' }, false],
    ['a number that is none', { key: 'k', operator: 'Gt', value: '3' }, false],
  ])('%s', (_, toleration, expected) => expect(tolerates(toleration, taint)).toBe(expected));
  test('numbers', () => {
    const five: Taint = { ...taint, value: '5' };
    expect(tolerates({ key: 'k', operator: 'Gt', value: '3' }, five)).toBe(true);
    expect(tolerates({ key: 'k', operator: 'Lt', value: '3' }, five)).toBe(false);
  });
});

describe('toleratedMs', () => {
  const seconds = (tolerationSeconds: number): Toleration => ({ key: 'k', operator: 'Exists', tolerationSeconds });
  const other: Taint = { key: 'other', effect: 'NoExecute' };
  test.each([
    ['no taint', [], [], Number.POSITIVE_INFINITY],
    ['no toleration', [taint], [], 0],
    ['one of two', [taint, other], [seconds(9)], 0],
    ['for good', [taint], [{ key: 'k', operator: 'Exists' }], Number.POSITIVE_INFINITY],
    ['for a while', [taint], [seconds(9)], 9000],
    ['the shortest counts', [taint], [seconds(9), seconds(5), { operator: 'Exists' }], 5000],
    ['below zero is at once', [taint], [seconds(-5)], 0],
  ] as const)('%s', (_, taints, tolerations, expected) => expect(toleratedMs(taints, tolerations)).toBe(expected));
});
