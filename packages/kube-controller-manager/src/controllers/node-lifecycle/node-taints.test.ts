import type { Node, NodeSpec, Taint } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { changedTaints, conditionTaintChange, readinessTaintChange } from './node-taints.ts';

const nodeOf = (conditions: Readonly<Record<string, string>>, spec: NodeSpec = {}): Node =>
  ({
    metadata: { name: 'n' },
    spec,
    status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })) },
  }) as unknown as Node;
const noSchedule = (name: string): Taint => ({ key: `node.kubernetes.io/${name}`, effect: 'NoSchedule' });

describe('conditionTaintChange', () => {
  test.each([
    ['ready', { Ready: 'True', MemoryPressure: 'False' }, {}, [], []],
    ['not ready', { Ready: 'False' }, {}, ['not-ready'], []],
    ['from not ready to unreachable', { Ready: 'Unknown' }, { taints: [noSchedule('not-ready')] }, ['unreachable'], ['not-ready']],
    [
      'pressure of every kind',
      { Ready: 'True', MemoryPressure: 'True', DiskPressure: 'True', PIDPressure: 'True', NetworkUnavailable: 'True' },
      {},
      ['memory-pressure', 'disk-pressure', 'pid-pressure', 'network-unavailable'],
      [],
    ],
    ['pressure that nobody knows of', { Ready: 'True', MemoryPressure: 'Unknown' }, {}, [], []],
    ['cordoned', { Ready: 'True' }, { unschedulable: true }, ['unschedulable'], []],
    ['no longer', { Ready: 'True' }, { taints: [noSchedule('unschedulable')] }, [], ['unschedulable']],
    ['the new node is ready', { Ready: 'True' }, { taints: [noSchedule('not-ready')] }, [], ['not-ready']],
    [
      'taints of others and other effects stay',
      { Ready: 'True' },
      {
        taints: [
          { key: 'mine', effect: 'NoSchedule' },
          { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
        ],
      },
      [],
      [],
    ],
  ] as const)('%s', (_, conditions, spec, added, removed) => {
    const { add, remove } = conditionTaintChange(nodeOf(conditions, spec));
    expect(add).toEqual(added.map(noSchedule));
    expect(remove.map(({ key }) => key)).toEqual(removed.map((name) => noSchedule(name).key));
  });
});

describe('changedTaints', () => {
  const mine: Taint = { key: 'mine', effect: 'NoExecute' };
  test('a node that is unreachable is not "not ready" at the same time', () => {
    const taints = [mine, { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }];
    expect(changedTaints(taints, readinessTaintChange('Unknown'), 'now')).toEqual([
      mine,
      { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: 'now' },
    ]);
  });
  test('a node that is up has neither', () => {
    expect(
      changedTaints([mine, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }], readinessTaintChange('True'), 'now'),
    ).toEqual([mine]);
  });
  test('a taint that is there keeps its time', () => {
    const taints = [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: 'before' }];
    expect(changedTaints(taints, readinessTaintChange('False'), 'now')).toBeUndefined();
  });
});
