import type { PodFailurePolicyRule } from '@orrery/api/batch/v1';
import { describe, expect, test } from 'vitest';
import { judgeFailure } from './failure-policy.ts';
import { ended, type TestPod, testPod } from './testing/objects.ts';

const on = (action: string, operator: string, values: readonly number[], containerName?: string): PodFailurePolicyRule => ({
  action,
  onExitCodes: { operator, values, ...(containerName === undefined ? {} : { containerName }) },
});
const disrupted: TestPod = { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True' }] };
const ignoreDisruption: PodFailurePolicyRule = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] };

describe('judgeFailure', () => {
  const cases: readonly (readonly [string, readonly PodFailurePolicyRule[] | undefined, TestPod, ReturnType<typeof judgeFailure>])[] = [
    ['no policy counts everything', undefined, ended(1), { counts: true, failsIndex: false }],
    ['no rule that matches counts', [on('Ignore', 'In', [2])], ended(1), { counts: true, failsIndex: false }],
    ['Ignore does not count', [on('Ignore', 'In', [1])], ended(1), { counts: false, failsIndex: false }],
    ['the first rule decides', [on('Count', 'In', [1]), on('Ignore', 'In', [1])], ended(1), { counts: true, failsIndex: false }],
    ['NotIn', [on('Ignore', 'NotIn', [2, 3])], ended(1), { counts: false, failsIndex: false }],
    ['NotIn never matches success', [on('Ignore', 'NotIn', [2])], { ...ended(0), phase: 'Failed' }, { counts: true, failsIndex: false }],
    ['another container', [on('Ignore', 'In', [1], 'other')], ended(1), { counts: true, failsIndex: false }],
    ['FailIndex', [on('FailIndex', 'In', [1])], ended(1), { counts: true, failsIndex: true }],
    ['a condition', [ignoreDisruption], disrupted, { counts: false, failsIndex: false }],
    [
      'FailJob by exit code',
      [ignoreDisruption, on('FailJob', 'In', [42])],
      ended(42),
      {
        counts: true,
        failsIndex: false,
        failsJob: 'Container c for pod ns/job-p failed with exit code 42 matching FailJob rule at index 1',
      },
    ],
    [
      'FailJob by condition',
      [{ action: 'FailJob', onPodConditions: [{ type: 'DisruptionTarget' }] }],
      disrupted,
      { counts: true, failsIndex: false, failsJob: 'Pod ns/job-p has condition DisruptionTarget matching FailJob rule at index 0' },
    ],
  ];
  test.each(cases)('%s', (_, rules, pod, verdict) => {
    expect(judgeFailure(rules === undefined ? undefined : { rules }, testPod('p', pod))).toEqual(verdict);
  });
});
