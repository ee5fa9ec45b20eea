import type { Job, JobSpec, JobStatus } from '@orrery/api/batch/v1';
import type { Pod, PodStatus } from '@orrery/api/core/v1';
import type { ObjectMeta } from '@orrery/apimachinery';
import { COMPLETION_INDEX, TRACKING_FINALIZER } from '../job-pods.ts';

export const NOW_MS = Date.UTC(2026, 0, 1, 12);
export const atSeconds = (seconds: number): string => `${new Date(NOW_MS + seconds * 1000).toISOString().slice(0, 19)}Z`;

/** A job as the server has defaulted it. */
export function testJob(spec: Partial<JobSpec> = {}, status: Partial<JobStatus> = {}): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'job', namespace: 'ns', uid: 'job-uid', creationTimestamp: atSeconds(0) } as ObjectMeta,
    spec: {
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      podReplacementPolicy: 'TerminatingOrFailed',
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
      ...spec,
    },
    status,
  };
}

export interface TestPod extends Partial<PodStatus> {
  readonly index?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  /** @default true */
  readonly tracked?: boolean;
  readonly deleted?: boolean;
}

/** A tracked pod; Running unless its status says otherwise. */
export function testPod(uid: string, { index, annotations = {}, tracked = true, deleted = false, ...status }: TestPod = {}): Pod {
  const indexed: Readonly<Record<string, string>> = index === undefined ? {} : { [COMPLETION_INDEX]: `${index}` };
  const metadata = {
    name: `job-${uid}`,
    resourceVersion: '1',
    namespace: 'ns',
    uid,
    creationTimestamp: atSeconds(0),
    annotations: { ...indexed, ...annotations },
    ...(tracked ? { finalizers: [TRACKING_FINALIZER] } : {}),
    ...(deleted ? { deletionTimestamp: atSeconds(0) } : {}),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata as ObjectMeta,
    spec: { containers: [{ name: 'c', image: 'x' }] },
    status: { phase: 'Running', ...status },
  } as Pod;
}

/** The status of a container that ended `seconds` after {@link NOW_MS}. */
export const ended = (exitCode: number, seconds = 0): TestPod => ({
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  containerStatuses: [
    {
      name: 'c',
      ready: false,
      restartCount: 0,
      image: 'x',
      imageID: 'x',
      state: { terminated: { exitCode, finishedAt: atSeconds(seconds) } },
    },
  ],
});
