import { describe, expect, test } from 'vitest';
import { podOf } from '../testing/objects.ts';
import { nextAvailableInMs, replicaStatus, type StatusInput } from './replica-status.ts';

const nowMs = Date.parse('2026-01-01T00:01:00Z');
const input = (extra: Partial<StatusInput>): StatusInput => ({
  old: { replicas: 0 },
  template: { metadata: { labels: {} } },
  minReadySeconds: 0,
  generation: 4,
  pods: [],
  terminating: undefined,
  failure: undefined,
  nowMs,
  now: '2026-01-01T00:01:00Z',
  ...extra,
});

describe('replicaStatus', () => {
  test('nothing runs: zeros are left out', () => expect(replicaStatus(input({}))).toEqual({ replicas: 0, observedGeneration: 4 }));

  test('ready is not available before minReadySeconds have passed', () => {
    const pods = [podOf('a', { readySince: '2026-01-01T00:00:00Z' }), podOf('b', { readySince: '2026-01-01T00:00:45Z' }), podOf('c')];
    expect(replicaStatus(input({ pods, minReadySeconds: 30 }))).toMatchObject({ replicas: 3, readyReplicas: 2, availableReplicas: 1 });
    expect(nextAvailableInMs(pods, 30, nowMs)).toBe(15_000);
  });

  test('a failure is shown, keeps its first time, and goes when it is over', () => {
    const failure = { reason: 'FailedCreate', message: 'no' } as const;
    const first = replicaStatus(input({ failure }));
    expect(first.conditions).toMatchObject([{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'no' }]);
    const again = replicaStatus(input({ old: first, failure: { ...failure, message: 'still no' }, now: '2026-01-01T00:02:00Z' }));
    expect(again.conditions).toEqual(first.conditions);
    expect(replicaStatus(input({ old: again })).conditions).toBeUndefined();
  });
});
