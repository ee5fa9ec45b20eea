import type { JobCondition, JobSpec, JobStatus } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { assessJob } from './assessment.ts';
import { noBackoff } from './backoff.ts';
import { jobCondition } from './conditions.ts';
import { ended, NOW_MS, testJob, testPod } from './testing/objects.ts';
import { planTracking, settleUncounted, tidyStatus } from './tracking.ts';

function track(spec: Partial<JobSpec>, status: Partial<JobStatus>, pods: readonly Pod[], end?: JobCondition) {
  const job = testJob(spec, status);
  const released = new Set<string>();
  const assessment = assessJob({ job, pods, released, backoff: noBackoff, nowMs: NOW_MS });
  const tracking = planTracking({ job, pods, released, assessment, end, nowMs: NOW_MS });
  return { ...tracking, release: tracking.release.map(({ metadata }) => metadata.uid) };
}

describe('planTracking', () => {
  test('ends are noted before pods are let go', () => {
    const { status, release } = track({ completions: 3 }, {}, [testPod('a', ended(0)), testPod('b', ended(1)), testPod('c')]);
    expect(status).toEqual({ uncountedTerminatedPods: { succeeded: ['a'], failed: ['b'] } });
    expect(release).toEqual(['a', 'b']);
  });
  test('pods that were let go are counted', () => {
    const old = { succeeded: 1, uncountedTerminatedPods: { succeeded: ['a', 'b'], failed: ['c'] } };
    const { status, release } = track({ completions: 9 }, old, [testPod('a', { ...ended(0), tracked: false }), testPod('b', ended(0))]);
    expect(status).toEqual({ succeeded: 2, failed: 1, uncountedTerminatedPods: { succeeded: ['b'] } });
    expect(release).toEqual(['b']);
  });
  test('indexes are counted at once: their text remembers them', () => {
    const { status, release } = track({ completionMode: 'Indexed', completions: 5 }, { completedIndexes: '0', succeeded: 1 }, [
      testPod('b', { ...ended(0), index: 2 }),
      testPod('a', { ...ended(0), index: 1 }),
      testPod('again', { ...ended(0), index: 0 }),
      testPod('stray', { ...ended(0), index: 9 }),
    ]);
    expect(status).toEqual({ completedIndexes: '0-2', succeeded: 3, uncountedTerminatedPods: {} });
    expect(release).toEqual(['again', 'a', 'b', 'stray']);
  });
  test('when a job fails, pods that have not ended are failures; when it succeeds, they are nothing', () => {
    const failure = jobCondition('FailureTarget', 'DeadlineExceeded', 'm', NOW_MS);
    const failed = track({}, {}, [testPod('a')], failure);
    expect(failed.status).toEqual({ conditions: [failure], uncountedTerminatedPods: { failed: ['a'] } });
    expect(failed.final).toMatchObject({ type: 'Failed', reason: 'DeadlineExceeded', message: 'm' });
    const success = jobCondition('SuccessCriteriaMet', 'SuccessPolicy', 'm', NOW_MS);
    const succeeded = track({}, {}, [testPod('a')], success);
    expect(succeeded.status).toEqual({ conditions: [success], uncountedTerminatedPods: {} });
    expect(succeeded.release).toEqual(['a']);
    expect(succeeded.final).toMatchObject({ type: 'Complete', reason: 'SuccessPolicy' });
  });
  test('failures that a policy ignores are let go uncounted', () => {
    const podFailurePolicy = { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [1] } }] };
    const { status, release } = track({ podFailurePolicy }, {}, [testPod('a', ended(1))]);
    expect(status).toEqual({ uncountedTerminatedPods: {} });
    expect(release).toEqual(['a']);
  });
  test('a failed pod whose index waits for its replacement is kept', () => {
    const spec = { completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 1 };
    expect(track(spec, {}, [testPod('a', { ...ended(1), index: 0 })])).toMatchObject({
      release: [],
      status: { uncountedTerminatedPods: {} },
    });
  });
  test('at most 500 ends are noted at a time, and the job does not end before all are', () => {
    const pods = Array.from({ length: 600 }, (_, index) => testPod(`${index}`, ended(0)));
    const { release, final } = track({ completions: 600 }, {}, pods, jobCondition('SuccessCriteriaMet', '', '', NOW_MS));
    expect(release).toHaveLength(500);
    expect(final).toBeUndefined();
  });
});

test('settling counts only those that lost their finalizer', () => {
  const status = settleUncounted({ failed: 1, uncountedTerminatedPods: { failed: ['a', 'b'], succeeded: ['c'] } }, new Set(['b']));
  expect(tidyStatus(status)).toEqual({ succeeded: 1, failed: 2, uncountedTerminatedPods: { failed: ['b'] } });
});
