import type { Job } from '@orrery/api/batch/v1';
import type { Container, Pod, PodTemplateSpec } from '@orrery/api/core/v1';
import type { NewObject } from '@orrery/apimachinery';
import { podFromTemplate } from '@orrery/controller';
import {
  COMPLETION_INDEX,
  INDEX_FAILURE_COUNT,
  INDEX_IGNORED_FAILURE_COUNT,
  isIndexed,
  nextIndexFailures,
  TRACKING_FINALIZER,
} from './job-pods.ts';

const INDEX_ENV = 'JOB_COMPLETION_INDEX';
const GENERATED_NAME_MAX = 58; // A label's 63 characters less the five that the server appends.

/** Containers learn their index from the pod's label. */
const withIndexEnv = (container: Container): Container => {
  if (container.env?.some(({ name }) => name === INDEX_ENV) === true) return container;
  const valueFrom = { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } };
  return { ...container, env: [...(container.env ?? []), { name: INDEX_ENV, valueFrom }] };
};

function indexedName(job: string, index: number): string {
  const suffix = `-${index}-`;
  return `${job.slice(0, GENERATED_NAME_MAX - suffix.length)}${suffix}`;
}

/** The next pod of a job. @param index - Of an indexed job. @param replaced - The failed pod of the index whose failures are handed on. */
export function jobPod(job: Job, index?: number, replaced?: Pod): NewObject<Pod> {
  const { template } = job.spec;
  const pod = podFromTemplate(tracked(template), job);
  if (!isIndexed(job) || index === undefined) return pod;
  const { spec } = template;
  const failures = job.spec.backoffLimitPerIndex === undefined ? undefined : nextIndexFailures(job, replaced);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: indexedName(job.metadata.name, index),
      labels: { ...pod.metadata.labels, [COMPLETION_INDEX]: `${index}` },
      annotations: {
        ...pod.metadata.annotations,
        [COMPLETION_INDEX]: `${index}`,
        ...(failures === undefined ? {} : { [INDEX_FAILURE_COUNT]: `${failures.counted}` }),
        ...(failures === undefined || failures.ignored === 0 ? {} : { [INDEX_IGNORED_FAILURE_COUNT]: `${failures.ignored}` }),
      },
    },
    spec: {
      ...pod.spec,
      ...(spec?.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndexEnv) }),
      containers: (spec?.containers ?? []).map(withIndexEnv),
      hostname: `${job.metadata.name}-${index}`,
    },
  };
}

function tracked(template: PodTemplateSpec): PodTemplateSpec {
  const finalizers = new Set([...(template.metadata?.finalizers ?? []), TRACKING_FINALIZER]);
  return { ...template, metadata: { ...template.metadata, finalizers: [...finalizers] } };
}
