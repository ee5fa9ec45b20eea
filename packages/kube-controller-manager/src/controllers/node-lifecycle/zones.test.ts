import type { Node } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import type { ReadyStatus } from './node-health.ts';
import { evictionRate, newZoneLimits, zoneState } from './zones.ts';

const many = (status: ReadyStatus, count: number): readonly ReadyStatus[] => Array.from({ length: count }, () => status);

describe('zoneState', () => {
  test.each([
    ['no node', [], 'normal'],
    ['all up', many('True', 3), 'normal'],
    ['all down', many('Unknown', 1), 'full'],
    ['two of three down: too few to tell', [...many('False', 2), 'True'], 'normal'],
    ['three of five down', [...many('Unknown', 3), ...many('True', 2)], 'partial'],
    ['three of six down', [...many('Unknown', 3), ...many('True', 3)], 'normal'],
  ] as const)('%s', (_, statuses, state) => expect(zoneState(statuses)).toBe(state));
});

test('small zones that are half down are left alone, large ones are emptied slowly', () => {
  expect(evictionRate('normal', 10)).toBe(0.1);
  expect(evictionRate('full', 10)).toBe(0.1);
  expect(evictionRate('partial', 50)).toBe(0);
  expect(evictionRate('partial', 51)).toBe(0.01);
});

let made = 0;
const node = (zone: string, status: string, labels: object = {}): Node =>
  ({
    metadata: { name: `n${made++}`, labels: { 'topology.kubernetes.io/zone': zone, ...labels } },
    status: { conditions: [{ type: 'Ready', status }] },
  }) as unknown as Node;

describe('newZoneLimits', () => {
  test('one node at once, then one every ten seconds, zone by zone', () => {
    const limits = newZoneLimits();
    const all = [node('a', 'True'), node('a', 'True'), node('b', 'True')];
    expect(limits.update(all, 0)).toBeUndefined();
    expect([limits.tryTake('/a', 0), limits.tryTake('/a', 5000), limits.tryTake('/b', 5000)]).toEqual([true, false, true]);
    expect([limits.tryTake('/a', 10_000), limits.tryTake('/a', 15_000)]).toEqual([true, false]);
    expect(limits.tryTake('/elsewhere', 0)).toBe(false);
  });
  test('nothing while every zone is down', () => {
    const limits = newZoneLimits();
    expect(limits.update([node('a', 'Unknown'), node('b', 'Unknown')], 0)).toBe('entered');
    expect(limits.tryTake('/a', 0)).toBe(false);
    expect(limits.update([node('a', 'Unknown'), node('b', 'Unknown')], 5000)).toBeUndefined();
    expect(limits.update([node('a', 'Unknown'), node('b', 'True')], 10_000)).toBe('left');
    expect(limits.tryTake('/a', 10_000)).toBe(true);
  });
  test('nodes that are excluded do not speak for their zone', () => {
    const limits = newZoneLimits();
    const excluded = { 'node.kubernetes.io/exclude-disruption': '' };
    expect(limits.update([node('a', 'True', excluded), node('a', 'Unknown')], 0)).toBe('entered');
  });
});
