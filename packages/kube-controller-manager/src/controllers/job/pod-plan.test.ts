import type { Job, JobSpec } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { assessJob } from './assessment.ts';
import { type Backoff, noBackoff } from './backoff.ts';
import { planPods } from './pod-plan.ts';
import { ended, NOW_MS, testJob, testPod } from './testing/objects.ts';

function plan(job: Job, pods: readonly Pod[], backoff: Backoff = noBackoff) {
  const assessment = assessJob({ job, pods, released: new Set(), backoff, nowMs: NOW_MS });
  const planned = planPods(job, assessment, pods, NOW_MS);
  return planned.action === 'remove' ? { action: 'remove', pods: planned.pods.map(({ metadata }) => metadata.uid) } : planned;
}
const running = (...uids: readonly string[]) => uids.map((uid) => testPod(uid));
const create = (count: number) => ({ action: 'create', count, indexes: undefined });
const none = { action: 'none' };

describe('planPods', () => {
  const cases: readonly (readonly [string, Partial<JobSpec>, readonly Pod[], object])[] = [
    ['starts as many as may run', { parallelism: 3, completions: 5 }, [], create(3)],
    ['no more than are missing', { parallelism: 3, completions: 5 }, [...running('a'), ...good(3)], create(1)],
    ['a work queue fills up', { parallelism: 3 }, running('a'), create(2)],
    ['a work queue that has had a success does not', { parallelism: 3 }, [...running('a'), ...good(1)], none],
    ['none while all are busy', { parallelism: 2, completions: 5 }, running('a', 'b'), none],
    ['parallelism 0 stops all', { parallelism: 0, completions: 5 }, running('a'), { action: 'remove', pods: ['a'] }],
    ['a suspended job has none', { suspend: true, parallelism: 2 }, running('a', 'b'), { action: 'remove', pods: ['a', 'b'] }],
    ['a suspended job starts none', { suspend: true, parallelism: 2 }, [], none],
    ['at most 500 at a time', { parallelism: 2000, completions: 2000 }, [], create(500)],
    [
      'replaces pods that are being deleted',
      { parallelism: 1, completions: 1 },
      [testPod('a', { deleted: true })],
      { action: 'wait', ms: 10_000 },
    ],
    [
      'waits for their end when only failed ones are replaced',
      { parallelism: 1, completions: 1, podReplacementPolicy: 'Failed' },
      [testPod('a', { deleted: true })],
      none,
    ],
    ['waits after a failure', { completions: 1 }, [testPod('a', ended(1, -4))], { action: 'wait', ms: 6000 }],
  ];
  test.each(cases)('%s', (_, spec, pods, expected) => {
    expect(plan(testJob(spec), pods)).toEqual(expected);
  });
  test('the failures of before count too', () => {
    expect(plan(testJob({ completions: 1 }), [], { failures: 2, lastFailureMs: NOW_MS - 5000 })).toEqual({ action: 'wait', ms: 15_000 });
  });
});

const indexed = (spec: Partial<JobSpec> = {}) => testJob({ completionMode: 'Indexed', completions: 5, parallelism: 3, ...spec });
const at = (uid: string, index: number, more: object = {}) => testPod(uid, { index, ...more });
const good = (count: number) => Array.from({ length: count }, (_, index) => testPod(`good-${index}`, ended(0)));

describe('planPods of an indexed job', () => {
  test.each([
    ['the lowest indexes first', indexed(), [], { action: 'create', count: 3, indexes: [0, 1, 2] }],
    ['indexes in work are skipped', indexed(), [at('a', 1)], { action: 'create', count: 2, indexes: [0, 2] }],
    ['succeeded ones too', indexed(), [at('a', 1), at('b', 0, ended(0))], { action: 'create', count: 2, indexes: [2, 3] }],
    ['two of one index', indexed(), [at('a', 0), at('b', 0, { phase: 'Pending' })], { action: 'remove', pods: ['b'] }],
    ['an index that is not the job’s', indexed(), [at('a', 0), at('z', 9), testPod('y')], { action: 'remove', pods: ['y', 'z'] }],
    [
      'each waits for itself',
      indexed({ backoffLimitPerIndex: 3 }),
      [at('a', 0, ended(1)), at('b', 1)],
      { action: 'create', count: 1, indexes: [2] },
    ],
    [
      'failed ones are over',
      indexed({ backoffLimitPerIndex: 0 }),
      [at('a', 0, ended(1)), at('b', 1)],
      { action: 'create', count: 2, indexes: [2, 3] },
    ],
    [
      'the first that may, when all wait',
      indexed({ backoffLimitPerIndex: 3, completions: 2 }),
      [at('a', 0, ended(1, -3)), at('b', 1, ended(1, -1))],
      { action: 'wait', ms: 7000 },
    ],
  ])('%s', (_, job, pods, expected) => {
    expect(plan(job, pods)).toEqual(expected);
  });
});
