import type { JobSpec, JobStatus } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { assessJob } from './assessment.ts';
import { noBackoff } from './backoff.ts';
import { printIntervals } from './index-intervals.ts';
import { INDEX_FAILURE_COUNT } from './job-pods.ts';
import { atSeconds, ended, NOW_MS, testJob, testPod } from './testing/objects.ts';

const assess = (spec: Partial<JobSpec>, status: Partial<JobStatus>, pods: readonly Pod[], released: readonly string[] = []) =>
  assessJob({ job: testJob(spec, status), pods, released: new Set(released), backoff: noBackoff, nowMs: NOW_MS });
const failed = (count: number) => Array.from({ length: count }, (_, index) => testPod(`bad-${index}`, ended(1)));
const restarted = (restartCount: number) =>
  testPod('a', { containerStatuses: [{ name: 'c', ready: true, restartCount, image: 'x', imageID: 'x' }] });
const onFailure = { template: { spec: { restartPolicy: 'OnFailure', containers: [] } } };
const indexed = { completionMode: 'Indexed', completions: 3, parallelism: 3 };

describe('counts', () => {
  test('each end is counted once', () => {
    const pods = [
      testPod('new', ended(0)),
      testPod('noted', ended(0)),
      testPod('released', ended(0)),
      testPod('done', { ...ended(0), tracked: false }),
      testPod('active', { conditions: [{ type: 'Ready', status: 'True' }] }),
      testPod('leaving', { deleted: true }),
    ];
    const found = assess({ completions: 9 }, { succeeded: 5, uncountedTerminatedPods: { succeeded: ['noted'] } }, pods, ['released']);
    expect(found).toMatchObject({ succeeded: 7, ready: 1, terminating: 1, end: undefined });
    expect(found.active.map(({ metadata }) => metadata.uid)).toEqual(['active']);
  });
  test('an index is counted once, whatever its pods did', () => {
    const pods = [
      testPod('a', { ...ended(0), index: 1 }),
      testPod('b', { ...ended(0), index: 1 }),
      testPod('c', { ...ended(0), index: 7 }),
    ];
    const found = assess(indexed, { completedIndexes: '0' }, pods);
    expect(printIntervals(found.succeededIndexes)).toBe('0,1');
    expect(found.succeeded).toBe(2);
  });
});

describe('end', () => {
  const cases: readonly (readonly [string, Partial<JobSpec>, Partial<JobStatus>, readonly Pod[], string | undefined])[] = [
    ['failures within the limit', { backoffLimit: 2 }, { failed: 1 }, failed(1), undefined],
    ['one too many', { backoffLimit: 1 }, { failed: 1 }, failed(1), 'FailureTarget BackoffLimitExceeded'],
    ['restarts within the limit', { ...onFailure, backoffLimit: 3 }, {}, [restarted(2)], undefined],
    ['restarts at the limit', { ...onFailure, backoffLimit: 3 }, {}, [restarted(3)], 'FailureTarget BackoffLimitExceeded'],
    ['any restart, when none may be', { ...onFailure, backoffLimit: 0 }, {}, [restarted(1)], 'FailureTarget BackoffLimitExceeded'],
    ['before the deadline', { activeDeadlineSeconds: 10 }, { startTime: atSeconds(-9) }, [], undefined],
    ['at the deadline', { activeDeadlineSeconds: 10 }, { startTime: atSeconds(-10) }, [], 'FailureTarget DeadlineExceeded'],
    ['a suspended job has no deadline', { activeDeadlineSeconds: 10, suspend: true }, { startTime: atSeconds(-99) }, [], undefined],
    [
      'nor one that is just resumed',
      { activeDeadlineSeconds: 10 },
      { startTime: atSeconds(-99), conditions: [{ type: 'Suspended', status: 'True' }] },
      [],
      undefined,
    ],
    [
      'a failure that is known',
      {},
      { conditions: [{ type: 'FailureTarget', status: 'True', reason: 'DeadlineExceeded', message: 'm' }] },
      [],
      'Failed DeadlineExceeded',
    ],
    [
      'a success that is known wins over failures',
      { backoffLimit: 0 },
      { conditions: [{ type: 'SuccessCriteriaMet', status: 'True', reason: 'SuccessPolicy' }] },
      failed(3),
      'SuccessCriteriaMet SuccessPolicy',
    ],
    [
      'an index that failed for good, while others go on',
      { ...indexed, backoffLimitPerIndex: 0 },
      {},
      [testPod('a', { ...ended(1), index: 0 })],
      undefined,
    ],
    [
      'all indexes are over and some failed',
      { ...indexed, backoffLimitPerIndex: 0 },
      { completedIndexes: '1,2' },
      [testPod('a', { ...ended(1), index: 0 })],
      'FailureTarget FailedIndexes',
    ],
    [
      'too many failed indexes',
      { ...indexed, backoffLimitPerIndex: 0, maxFailedIndexes: 1 },
      { failedIndexes: '1' },
      [testPod('a', { ...ended(1), index: 0 })],
      'FailureTarget MaxFailedIndexesExceeded',
    ],
    [
      'a success rule',
      { ...indexed, successPolicy: { rules: [{ succeededCount: 1 }] } },
      {},
      [testPod('a', { ...ended(0), index: 2 })],
      'SuccessCriteriaMet SuccessPolicy',
    ],
  ];
  test.each(cases)('%s', (_, spec, status, pods, expected) => {
    const { end } = assess(spec, status, pods);
    expect(end === undefined ? undefined : `${end.type} ${end.reason}`).toBe(expected);
  });
});

test('the last failed pod of an index is kept until it is replaced', () => {
  const spec = { ...indexed, backoffLimitPerIndex: 5 };
  const annotations = { [INDEX_FAILURE_COUNT]: '1' };
  const pods = [
    testPod('first', { ...ended(1, 0), index: 0 }),
    testPod('second', { ...ended(1, 5), index: 0, annotations }),
    testPod('replaced', { ...ended(1), index: 1 }),
    testPod('replacement', { index: 1 }),
  ];
  expect([...assess(spec, {}, pods).kept].map(([index, { metadata }]) => [index, metadata.uid])).toEqual([[0, 'second']]);
});
