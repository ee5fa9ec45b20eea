import type { Job } from '@orrery/api/batch/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, containerColumns, nameColumn, selectorColumn } from '../../../table/columns.ts';
import { humanDuration } from '../../../table/human-duration.ts';
import { jobStatus } from './status.ts';
import { jobStrategy } from './strategy.ts';

export const jobDefinition: ResourceDefinition<Job> = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  resource: 'jobs',
  singular: 'job',
  categories: ['all'],
  namespaced: true,
  typeName: 'io.k8s.api.batch.v1.Job',
  strategy: jobStrategy,
  status: jobStatus,
  selectableFields: { 'status.successful': ({ status }) => `${status?.succeeded ?? 0}` },
  columns: [
    nameColumn,
    { name: 'Status', description: 'Status of the job.', cell: statusText },
    { name: 'Completions', description: 'Pods that succeeded, of those that have to.', cell: completions },
    { name: 'Duration', description: 'Time required to complete the job.', cell: duration },
    ageColumn,
    ...containerColumns<Job>(({ spec }) => spec.template),
    selectorColumn<Job>(({ spec }) => spec.selector),
  ],
};

function statusText({ metadata, status }: Job): string {
  const is = (type: string): boolean =>
    (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running';
}

function completions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function duration({ status }: Job, nowMs: number): string {
  if (!status?.startTime) return '';
  const end = status.completionTime ? Date.parse(status.completionTime) : nowMs;
  return humanDuration(end - Date.parse(status.startTime));
}
