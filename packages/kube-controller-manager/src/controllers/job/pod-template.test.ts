import { expect, test } from 'vitest';
import { INDEX_FAILURE_COUNT, INDEX_IGNORED_FAILURE_COUNT } from './job-pods.ts';
import { jobPod } from './pod-template.ts';
import { ended, testJob, testPod } from './testing/objects.ts';

test('a plain job makes pods of its template, with the finalizer', () => {
  const pod = jobPod(testJob());
  expect(pod.metadata).toEqual({ generateName: 'job-', namespace: 'ns', finalizers: ['batch.kubernetes.io/job-tracking'] });
  expect(pod.spec.hostname).toBeUndefined();
});
test('long names are cut so that the index fits', () => {
  const job = testJob({ completionMode: 'Indexed', completions: 200 });
  const pod = jobPod({ ...job, metadata: { ...job.metadata, name: 'n'.repeat(63) } }, 123);
  expect(pod.metadata.generateName).toBe(`${'n'.repeat(53)}-123-`);
});
test('an environment variable of the user’s stays', () => {
  const env = [{ name: 'JOB_COMPLETION_INDEX', value: 'mine' }];
  const template = { spec: { containers: [{ name: 'c', env }], initContainers: [{ name: 'i' }] } };
  const { spec } = jobPod(testJob({ completionMode: 'Indexed', completions: 1, template }), 0);
  expect(spec.containers[0]?.env).toBe(env);
  expect(spec.initContainers?.[0]?.env?.map(({ name }) => name)).toEqual(['JOB_COMPLETION_INDEX']);
});
test('failures of an index are handed on', () => {
  const podFailurePolicy = { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [9] } }] };
  const job = testJob({ completionMode: 'Indexed', completions: 1, backoffLimitPerIndex: 5, podFailurePolicy });
  const annotationsAfter = (exitCode: number) => {
    const annotations = { [INDEX_FAILURE_COUNT]: '2' };
    return jobPod(job, 0, testPod('old', { ...ended(exitCode), index: 0, annotations })).metadata.annotations;
  };
  expect(annotationsAfter(1)).toMatchObject({ [INDEX_FAILURE_COUNT]: '3' });
  expect(annotationsAfter(9)).toMatchObject({ [INDEX_FAILURE_COUNT]: '2', [INDEX_IGNORED_FAILURE_COUNT]: '1' });
  expect(jobPod(job, 0).metadata.annotations).toMatchObject({ [INDEX_FAILURE_COUNT]: '0' });
});
