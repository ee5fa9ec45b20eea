import { events, jobs, namespaces, pods } from '@orrery/api';
import type { Job, JobSpec } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { formatTime } from '@orrery/apimachinery';
import { newVirtualClock } from '@orrery/base';
import { isPodTerminating } from '@orrery/client';
import { expect, test } from 'vitest';
import { startCluster } from './index.ts';

const TRACKING = 'batch.kubernetes.io/job-tracking';

/** A cluster in virtual time without nodes: the test plays the kubelet. */
async function world() {
  const clock = newVirtualClock();
  const cluster = await clock.runFor(startCluster({ clock, scheduler: false }));
  const settle = async (ms = 50): Promise<void> => {
    for (let turn = 0; turn < 40; turn += 1) await clock.advance(0); // Work takes turns of the event loop, not time.
    await clock.advance(ms);
    for (let turn = 0; turn < 40; turn += 1) await clock.advance(0);
  };
  const { client } = cluster;
  await client.create(namespaces, { metadata: { name: 'ns' }, spec: {} });
  const get = (name = 'job') => client.get(jobs, { namespace: 'ns', name });
  const list = async () =>
    [...(await client.list(pods, { namespace: 'ns' })).items].sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  return {
    clock,
    client,
    get,
    list,
    [Symbol.asyncDispose]: () => clock.runFor(cluster.dispose()),
    create: (spec: Partial<JobSpec>, restartPolicy = 'Never') =>
      client.create(jobs, {
        metadata: { name: 'job', namespace: 'ns' },
        spec: { template: { spec: { restartPolicy, containers: [{ name: 'c', image: 'x' }] } }, ...spec },
      }),
    /** Lets what is due now happen, and `ms` pass. */
    settle,
    async end(pod: Pod, exitCode: number, conditions: NonNullable<Pod['status']['conditions']> = []) {
      const current = await client.get(pods, pod.metadata);
      const now = formatTime(clock.now());
      const terminated = { exitCode, startedAt: now, finishedAt: now };
      const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
      const containerStatuses = [{ name: 'c', state: { terminated }, ready: false, restartCount: 0, image: 'x', imageID: 'x' }];
      await client.updateStatus(pods, { ...current, status: { ...current.status, phase, containerStatuses, conditions } });
      await settle();
    },
    async run(pod: Pod) {
      const current = await client.get(pods, pod.metadata);
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(clock.now()) }];
      await client.updateStatus(pods, { ...current, status: { ...current.status, phase: 'Running', conditions } });
      await settle();
    },
    async eventReasons() {
      await settle(2000);
      return (await client.list(events, { namespace: 'ns' })).items
        .filter(({ involvedObject }) => involvedObject.kind === 'Job')
        .map(({ reason }) => reason);
    },
  };
}
type World = Awaited<ReturnType<typeof world>>;

const live = (all: readonly Pod[]): readonly Pod[] =>
  all.filter((pod) => !isPodTerminating(pod) && pod.status.phase !== 'Failed' && pod.status.phase !== 'Succeeded');
const first = (all: readonly Pod[]): Pod => {
  const [pod] = all;
  if (pod === undefined) throw new Error('there is no pod');
  return pod;
};
const conditionsOf = ({ status }: Job) => (status.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);
const indexOf = ({ metadata }: Pod) => metadata.annotations?.['batch.kubernetes.io/job-completion-index'];
const ofIndex = async (w: World, index: number) => first(live(await w.list()).filter((pod) => indexOf(pod) === `${index}`));

test('a job runs its pods, counts them and completes', async () => {
  await using w = await world();
  await w.create({ completions: 3, parallelism: 2 });
  await w.settle();
  const [a, b] = await w.list();
  if (a === undefined || b === undefined) throw new Error('two pods were expected');
  expect(a.metadata.finalizers).toEqual([TRACKING]);
  expect(a.metadata.ownerReferences).toMatchObject([{ kind: 'Job', name: 'job', controller: true }]);
  expect((await w.get()).status).toEqual({
    active: 2,
    ready: 0,
    terminating: 0,
    startTime: '2026-01-01T00:00:00Z',
    uncountedTerminatedPods: {},
  });
  await w.run(a);
  expect((await w.get()).status).toMatchObject({ active: 2, ready: 1 });
  await w.end(a, 0);
  await w.end(b, 0);
  expect((await w.get()).status).toMatchObject({ active: 1, ready: 0, succeeded: 2 });
  expect(live(await w.list())).toHaveLength(1);
  await w.end(first(live(await w.list())), 0);
  const { status } = await w.get();
  expect(status.conditions?.map(({ type, reason, message }) => [type, reason, message])).toEqual([
    ['SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods'],
    ['Complete', 'CompletionsReached', 'Reached expected number of succeeded pods'],
  ]);
  expect(status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
  expect(status.active).toBeUndefined();
  expect(status.completionTime).toBeDefined();
  expect((await w.list()).map(({ metadata }) => metadata.finalizers)).toEqual([undefined, undefined, undefined]);
  expect((await w.eventReasons()).sort()).toEqual(['Completed', 'SuccessfulCreate', 'SuccessfulCreate', 'SuccessfulCreate']);
});

test('failed pods are made again with growing delay, up to the limit', async () => {
  await using w = await world();
  await w.create({ backoffLimit: 2 });
  await w.settle();
  for (const delayMs of [10_000, 20_000]) {
    await w.end(first(live(await w.list())), 1);
    await w.settle(delayMs - 2000);
    expect(live(await w.list())).toEqual([]);
    await w.settle(2500);
    expect(live(await w.list())).toHaveLength(1);
  }
  await w.end(first(live(await w.list())), 1);
  const job = await w.get();
  expect(conditionsOf(job)).toEqual(['FailureTarget=True BackoffLimitExceeded', 'Failed=True BackoffLimitExceeded']);
  expect(job.status).toMatchObject({ failed: 3, ready: 0 });
  expect(job.status.completionTime).toBeUndefined();
  expect(await w.eventReasons()).toContain('BackoffLimitExceeded');
});

test('an indexed job gives each pod its index', async () => {
  await using w = await world();
  await w.create({ completionMode: 'Indexed', completions: 4, parallelism: 4 });
  await w.settle();
  const made = await w.list();
  expect(made.map(indexOf).sort()).toEqual(['0', '1', '2', '3']);
  const two = await ofIndex(w, 2);
  expect(two.metadata.labels?.['batch.kubernetes.io/job-completion-index']).toBe('2');
  expect(two.metadata.name).toMatch(/^job-2-/);
  expect(two.spec.hostname).toBe('job-2');
  expect(two.spec.containers[0]?.env).toEqual([
    {
      name: 'JOB_COMPLETION_INDEX',
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } },
    },
  ]);
  for (const index of [0, 2, 3]) await w.end(await ofIndex(w, index), 0);
  expect((await w.get()).status).toMatchObject({ completedIndexes: '0,2,3', succeeded: 3, active: 1 });
  await w.end(await ofIndex(w, 1), 0);
  expect((await w.get()).status).toMatchObject({ completedIndexes: '0-3', succeeded: 4 });
  expect(conditionsOf(await w.get())).toContain('Complete=True CompletionsReached');
});

test('each index has its own backoff limit', async () => {
  await using w = await world();
  await w.create({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1 });
  await w.settle();
  await w.end(await ofIndex(w, 0), 1);
  expect((await w.list()).filter((pod) => pod.metadata.finalizers !== undefined)).toHaveLength(2);
  await w.settle(11_000);
  const again = await ofIndex(w, 0);
  expect(again.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count']).toBe('1');
  await w.end(again, 1);
  expect((await w.get()).status).toMatchObject({ failedIndexes: '0', failed: 2, active: 1 });
  await w.end(await ofIndex(w, 1), 0);
  const job = await w.get();
  expect(conditionsOf(job)).toEqual(['FailureTarget=True FailedIndexes', 'Failed=True FailedIndexes']);
  expect(job.status).toMatchObject({ completedIndexes: '1', failedIndexes: '0', succeeded: 1 });
});

test('more failed indexes than allowed end the job and its pods', async () => {
  await using w = await world();
  await w.create({ completionMode: 'Indexed', completions: 3, parallelism: 3, backoffLimitPerIndex: 0, maxFailedIndexes: 1 });
  await w.settle();
  await w.end(await ofIndex(w, 0), 1);
  await w.end(await ofIndex(w, 1), 1);
  await w.settle();
  const job = await w.get();
  expect(conditionsOf(job)).toEqual(['FailureTarget=True MaxFailedIndexesExceeded', 'Failed=True MaxFailedIndexesExceeded']);
  expect(live(await w.list())).toEqual([]);
});

test('a failure policy ignores disruptions and ends the job for good reasons', async () => {
  await using w = await world();
  await w.create({
    backoffLimit: 0,
    podFailurePolicy: {
      rules: [
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        { action: 'FailJob', onExitCodes: { containerName: 'c', operator: 'In', values: [42] } },
      ],
    },
  });
  await w.settle();
  await w.end(first(await w.list()), 137, [{ type: 'DisruptionTarget', status: 'True' }]);
  await w.settle(11_000);
  expect((await w.get()).status.failed).toBeUndefined();
  const second = first(live(await w.list()));
  await w.end(second, 42);
  const job = await w.get();
  expect(conditionsOf(job)).toEqual(['FailureTarget=True PodFailurePolicy', 'Failed=True PodFailurePolicy']);
  expect(job.status.conditions?.[0]?.message).toBe(
    `Container c for pod ns/${second.metadata.name} failed with exit code 42 matching FailJob rule at index 1`,
  );
});

test('a success policy ends the job before all indexes have succeeded', async () => {
  await using w = await world();
  await w.create({ completionMode: 'Indexed', completions: 3, parallelism: 3, successPolicy: { rules: [{ succeededIndexes: '1' }] } });
  await w.settle();
  await w.end(await ofIndex(w, 1), 0);
  await w.settle();
  const job = await w.get();
  expect(conditionsOf(job)).toEqual(['SuccessCriteriaMet=True SuccessPolicy', 'Complete=True SuccessPolicy']);
  expect(job.status.conditions?.[0]?.message).toBe('Matched rules at index 0');
  expect(job.status).toMatchObject({ succeeded: 1, completedIndexes: '1' });
  expect(job.status.failed).toBeUndefined();
  expect(live(await w.list())).toEqual([]);
});

test('a suspended job has no pods; resumed it starts anew', async () => {
  await using w = await world();
  await w.create({ parallelism: 2, completions: 2, activeDeadlineSeconds: 60 });
  await w.settle();
  await w.client.patch(jobs, { namespace: 'ns', name: 'job' }, 'merge', { spec: { suspend: true } });
  await w.settle();
  expect(await w.list()).toEqual([]);
  expect(conditionsOf(await w.get())).toEqual(['Suspended=True JobSuspended']);
  await w.settle(100_000);
  await w.client.patch(jobs, { namespace: 'ns', name: 'job' }, 'merge', { spec: { suspend: false } });
  await w.settle();
  const job = await w.get();
  expect(conditionsOf(job)).toEqual(['Suspended=False JobResumed']);
  expect(Date.parse(job.status.startTime ?? '')).toBeGreaterThan(Date.parse('2026-01-01T00:01:39Z'));
  expect(live(await w.list())).toHaveLength(2);
  expect(await w.eventReasons()).toEqual(expect.arrayContaining(['Suspended', 'Resumed', 'SuccessfulDelete']));
});

test('a job that takes too long fails, with its pods', async () => {
  await using w = await world();
  await w.create({ activeDeadlineSeconds: 30 });
  await w.settle(29_000);
  expect(conditionsOf(await w.get())).toEqual([]);
  await w.settle(2000);
  expect(conditionsOf(await w.get())).toEqual(['FailureTarget=True DeadlineExceeded', 'Failed=True DeadlineExceeded']);
  expect(live(await w.list())).toEqual([]);
  expect((await w.get()).status.failed).toBe(1);
});

test('fewer pods are kept when parallelism falls; another controller is left alone', async () => {
  await using w = await world();
  await w.create({ parallelism: 5, completions: 10 });
  await w.settle();
  expect(live(await w.list())).toHaveLength(5);
  await w.client.patch(jobs, { namespace: 'ns', name: 'job' }, 'merge', { spec: { parallelism: 2 } });
  await w.settle();
  expect(live(await w.list())).toHaveLength(2);
  expect((await w.get()).status).toMatchObject({ active: 2 });
  await w.client.create(jobs, {
    metadata: { name: 'other', namespace: 'ns' },
    spec: { managedBy: 'example.com/queue', template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } },
  });
  await w.settle();
  expect((await w.get('other')).status).toEqual({});
  expect(live(await w.list())).toHaveLength(2);
});

test('pods of a job that is deleted lose their finalizer', async () => {
  await using w = await world();
  await w.create({ parallelism: 2, completions: 2 });
  await w.settle();
  await w.client.delete(jobs, { namespace: 'ns', name: 'job' }, { propagationPolicy: 'Background' });
  await w.settle();
  expect((await w.list()).every(({ metadata }) => metadata.finalizers === undefined)).toBe(true);
});

test('a finished job goes when its time to live is over, with its pods', async () => {
  await using w = await world();
  await w.create({ ttlSecondsAfterFinished: 60 });
  await w.settle();
  await w.end(first(await w.list()), 0);
  await w.settle(50_000);
  expect(conditionsOf(await w.get())).toContain('Complete=True CompletionsReached');
  await w.client.patch(jobs, { namespace: 'ns', name: 'job' }, 'merge', { spec: { ttlSecondsAfterFinished: 100 } });
  await w.settle(30_000);
  expect((await w.get()).metadata.deletionTimestamp).toBeUndefined();
  await w.settle(30_000);
  await expect(w.get()).rejects.toMatchObject({ reason: 'NotFound' });
  expect(await w.list()).toEqual([]);
});

test('with podReplacementPolicy Failed a pod is replaced only when it has ended', async () => {
  await using w = await world();
  await w.create({ podReplacementPolicy: 'Failed' });
  await w.settle();
  const pod = first(await w.list());
  await w.client.createSubresource(pods, pod.metadata, 'binding', {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: pod.metadata.name },
    target: { kind: 'Node', name: 'n' },
  });
  await w.run(pod);
  await w.client.delete(pods, pod.metadata);
  await w.settle(11_000);
  expect((await w.get()).status).toMatchObject({ terminating: 1, ready: 0 });
  expect(live(await w.list())).toEqual([]);
  await w.end(pod, 143);
  await w.settle(11_000);
  expect((await w.get()).status).toMatchObject({ failed: 1, active: 1, terminating: 0 });
  expect(live(await w.list())).toHaveLength(1);
});

test('a job with its own selector adopts pods that match, and counts them', async () => {
  await using w = await world();
  await w.settle(); // The namespace gets its service account, without which no pod can be made.
  await w.client.create(pods, {
    metadata: { name: 'stray', namespace: 'ns', labels: { mine: 'yes' } },
    spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] },
  });
  await w.client.create(jobs, {
    metadata: { name: 'job', namespace: 'ns' },
    spec: {
      manualSelector: true,
      selector: { matchLabels: { mine: 'yes' } },
      template: { metadata: { labels: { mine: 'yes' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
    },
  });
  await w.settle();
  const stray = first(await w.list());
  expect(await w.list()).toHaveLength(1);
  expect(stray.metadata).toMatchObject({ name: 'stray', finalizers: [TRACKING], ownerReferences: [{ kind: 'Job', name: 'job' }] });
  await w.end(stray, 0);
  expect((await w.get()).status).toMatchObject({ succeeded: 1 });
  expect(conditionsOf(await w.get())).toContain('Complete=True CompletionsReached');
});
