import type { Job } from '@orrery/api/batch/v1';
import type { Draft } from '@orrery/apimachinery';
import type { Strategy } from '@orrery/apiserver';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import { ensure } from '../../defaulting.ts';
import { dnsLabelWarning } from '../../name-warning.ts';
import { validateJob, validateJobUpdate } from './validation.ts';

/** Labels that tie pods to their job, the old names beside the new. */
export const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid';
export const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name';
export const LEGACY_CONTROLLER_UID_LABEL = 'controller-uid';
export const LEGACY_JOB_NAME_LABEL = 'job-name';

const INT32_MAX = 2 ** 31 - 1;
const BACKOFF_LIMIT = 6;

export const jobStrategy: Strategy<Job> = {
  default: defaultJob,
  defaultPropagation: 'Orphan', // Upstream's, for old clients; kubectl always names one.
  prepareForCreate(draft) {
    if (draft.spec.manualSelector !== true) generateSelector(draft);
    labelAsPods(draft);
  },
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  warnings({ metadata, spec }, old) {
    const warnings = old === undefined ? dnsLabelWarning(metadata.name) : [];
    const completions = spec.completions ?? 0;
    const parallelism = spec.parallelism ?? 0;
    if (spec.completionMode === 'Indexed' && completions > 100_000 && parallelism > 10_000) {
      warnings.push(
        'spec.completions: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
      );
    }
    return [...warnings, ...podTemplateWarnings('spec.template', spec.template, old?.spec.template)];
  },
};

/** Source: batch/v1 SetDefaults_Job. */
export function defaultJob(draft: Draft<Job>): void {
  const spec = ensure(draft, 'spec');
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1;
    spec.parallelism = 1;
  }
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : INT32_MAX;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ??= 'True';
  }
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  spec.manualSelector ??= false;
  const template = ensure(spec, 'template');
  defaultPodTemplate(template);
  labelAsPods(draft);
}

/** A job without labels has those of its pods. */
function labelAsPods({ metadata, spec }: Draft<Job>): void {
  const labels = spec.template.metadata?.labels;
  if (Object.keys(metadata.labels ?? {}).length === 0 && labels) metadata.labels = { ...labels };
}

/** A selector by the job's own uid: no two jobs ever share pods. */
function generateSelector(draft: Draft<Job>): void {
  const { name = '', uid = '' } = draft.metadata;
  const { spec } = draft;
  const template = ensure(spec, 'template');
  const metadata = ensure(template, 'metadata');
  metadata.labels = {
    [LEGACY_JOB_NAME_LABEL]: name,
    [JOB_NAME_LABEL]: name,
    [LEGACY_CONTROLLER_UID_LABEL]: uid,
    [CONTROLLER_UID_LABEL]: uid,
    ...metadata.labels, // A conflict is left for validation to refuse.
  };
  spec.selector = { ...spec.selector, matchLabels: { [CONTROLLER_UID_LABEL]: uid, ...spec.selector?.matchLabels } };
}
