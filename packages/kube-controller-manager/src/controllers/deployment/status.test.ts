import { describe, expect, test } from 'vitest';
import { deploymentOf, setOf } from '../testing/objects.ts';
import { condition, deadlineInMs, isComplete, rolloutStatus, withCondition } from './status.ts';

const nowMs = Date.parse('2026-01-01T00:10:00Z');
const reasonOf = (conditions: readonly { type: string; reason?: string }[] | undefined, type: string) =>
  conditions?.find((entry) => entry.type === type)?.reason;

describe('rolloutStatus', () => {
  test('pods come up: progressing, not available', () => {
    const set = setOf('new', { replicas: 10, available: 3 });
    const status = rolloutStatus(deploymentOf({}), [set], set, nowMs);
    expect(status).toMatchObject({ replicas: 10, updatedReplicas: 10, availableReplicas: 3, unavailableReplicas: 7 });
    expect(reasonOf(status.conditions, 'Available')).toBe('MinimumReplicasUnavailable');
    expect(reasonOf(status.conditions, 'Progressing')).toBe('ReplicaSetUpdated');
  });

  test('all are there: complete', () => {
    const set = setOf('new', { replicas: 10 });
    const status = rolloutStatus(deploymentOf({}), [set], set, nowMs);
    expect(reasonOf(status.conditions, 'Progressing')).toBe('NewReplicaSetAvailable');
    expect(isComplete(deploymentOf({}), status)).toBe(true);
  });

  test('no progress for longer than the deadline', () => {
    const set = setOf('new', { replicas: 10, available: 3 });
    const late = nowMs - 601_000;
    const old = rolloutStatus(deploymentOf({}), [set], set, late);
    const stuck = rolloutStatus(deploymentOf({}, old), [set], set, nowMs);
    expect(stuck.conditions?.find(({ type }) => type === 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
    });
    expect(deadlineInMs(deploymentOf({}), stuck, nowMs)).toBe(0);
    expect(rolloutStatus(deploymentOf({}, old), [set], set, late + 1000).conditions).toEqual(old.conditions);
  });

  test("a replica set's failure is the deployment's", () => {
    const set = setOf('new', { replicas: 10, available: 0 });
    const failing = {
      ...set,
      status: { ...set.status, conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }] },
    };
    expect(reasonOf(rolloutStatus(deploymentOf({}), [failing], failing, nowMs).conditions, 'ReplicaFailure')).toBe('FailedCreate');
    expect(reasonOf(rolloutStatus(deploymentOf({}), [set], set, nowMs).conditions, 'ReplicaFailure')).toBeUndefined();
  });

  test('without a deadline there is no Progressing', () => {
    const set = setOf('new', { replicas: 10 });
    expect(
      reasonOf(rolloutStatus(deploymentOf({ progressDeadlineSeconds: 2147483647 }), [set], set, nowMs).conditions, 'Progressing'),
    ).toBeUndefined();
  });
});

describe('withCondition', () => {
  const first = condition('Progressing', 'True', 'A', 'a', nowMs);
  test('same status and reason: nothing changes', () => {
    const list = [first];
    expect(withCondition(list, condition('Progressing', 'True', 'A', 'other', nowMs + 5000))).toBe(list);
  });
  test('same status: the transition time stays', () => {
    const [next] = withCondition([first], condition('Progressing', 'True', 'B', 'b', nowMs + 5000));
    expect(next).toMatchObject({ reason: 'B', lastTransitionTime: first.lastTransitionTime });
  });
});
