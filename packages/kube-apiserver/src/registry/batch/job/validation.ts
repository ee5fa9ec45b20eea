import type { Job, JobSpec } from '@orrery/api/batch/v1';
import { type FieldError, invalid, isDns1123Label, notSupported, required, validateLabelSelector } from '@orrery/apimachinery';
import { selectorOf, validatePodTemplate } from '../../core/pod-spec/validate-template.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { immutable, nonNegative } from '../../validate.ts';
import { validateFailurePolicy } from './failure-policy.ts';
import { CONTROLLER_UID_LABEL, JOB_NAME_LABEL, LEGACY_CONTROLLER_UID_LABEL, LEGACY_JOB_NAME_LABEL } from './strategy.ts';
import { validateManagedBy, validateSuccessPolicy } from './success-policy.ts';

const PARALLELISM_INDEXED_MAX = 100_000;
const FAILED_INDEXES_MAX = 100_000;
const COMPLETIONS_MAX = 100_000;
const PARALLELISM_WITH_MANY_MAX = 10_000;

/** Source: ValidateJob. */
export function validateJob(job: Job): FieldError[] {
  return [...validateGeneratedSelector(job), ...validateIndexedName(job), ...validateJobSpec(job.spec)];
}

/** The selector that was made, and labels that go with it. Source: ValidateGeneratedSelector. */
function validateGeneratedSelector({ metadata, spec }: Job): FieldError[] {
  if (spec.manualSelector === true || spec.selector === undefined) return [];
  const uid = metadata.uid ?? '';
  const name = metadata.name ?? '';
  const labels = spec.template.metadata?.labels ?? {};
  const wanted = { [CONTROLLER_UID_LABEL]: uid, [LEGACY_CONTROLLER_UID_LABEL]: uid, [LEGACY_JOB_NAME_LABEL]: name, [JOB_NAME_LABEL]: name };
  const errors = uid === '' ? [required('metadata.uid')] : [];
  for (const [key, value] of Object.entries(wanted)) {
    const path = 'spec.template.metadata.labels';
    if (labels[key] === undefined) errors.push(required(`${path}[${key}]`, `must be '${value}'`));
    else if (labels[key] !== value) errors.push(invalid(`${path}[${key}]`, labels[key], `must be '${value}'`));
  }
  if (!selectorOf(spec.selector).matches(wanted)) errors.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
  return errors;
}

/** Pods of an indexed job have their index in their host name. */
function validateIndexedName({ metadata, spec }: Job): FieldError[] {
  if (spec.completionMode !== 'Indexed' || (spec.completions ?? 0) <= 0) return [];
  const hostName = `${metadata.name}-${(spec.completions ?? 0) - 1}`;
  const reasons = isDns1123Label(hostName);
  if (reasons.length === 0) return [];
  return [invalid('metadata.name', metadata.name, `will not able to create pod with invalid DNS label: ${hostName}`)];
}

function validateJobSpec(spec: JobSpec): FieldError[] {
  return [
    ...validateNumbers(spec),
    ...validateCompletionMode(spec),
    ...(spec.managedBy === undefined ? [] : validateManagedBy(spec.managedBy, 'spec.managedBy')),
    ...(spec.podFailurePolicy === undefined ? [] : validateFailurePolicy(spec, 'spec.podFailurePolicy')),
    ...(spec.successPolicy === undefined ? [] : validateSuccessPolicy(spec, 'spec.successPolicy')),
    ...validateReplacementPolicy(spec),
    ...validatePodTemplate(spec.template, 'spec.template'),
    ...validateRestartPolicy(spec),
    ...validateSelector(spec),
  ];
}

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

function validateNumbers(spec: JobSpec): FieldError[] {
  const errors = counts.flatMap((key) => nonNegative(`spec.${key}`, spec[key]));
  if (spec.completionMode !== 'Indexed') {
    if (spec.backoffLimitPerIndex !== undefined) {
      errors.push(invalid('spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, 'requires indexed completion mode'));
    }
    if (spec.maxFailedIndexes !== undefined)
      errors.push(invalid('spec.maxFailedIndexes', spec.maxFailedIndexes, 'requires indexed completion mode'));
  }
  return errors;
}

function validateCompletionMode(spec: JobSpec): FieldError[] {
  const { completionMode: mode, completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  if (mode === undefined) return [];
  if (mode !== 'NonIndexed' && mode !== 'Indexed') return [notSupported('spec.completionMode', mode, ['NonIndexed', 'Indexed'])];
  if (mode === 'NonIndexed') return [];
  const errors: FieldError[] = [];
  if (completions === undefined) errors.push(required('spec.completions', 'when completion mode is Indexed'));
  if (parallelism > PARALLELISM_INDEXED_MAX) {
    errors.push(
      invalid('spec.parallelism', parallelism, `must be less than or equal to ${PARALLELISM_INDEXED_MAX} when completion mode is Indexed`),
    );
  }
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    errors.push(invalid('spec.maxFailedIndexes', maxFailedIndexes, 'must be less than or equal to completions'));
  }
  if (maxFailedIndexes !== undefined && maxFailedIndexes > FAILED_INDEXES_MAX) {
    errors.push(invalid('spec.maxFailedIndexes', maxFailedIndexes, `must be less than or equal to ${FAILED_INDEXES_MAX}`));
  }
  if (completions !== undefined && completions > COMPLETIONS_MAX && backoffLimitPerIndex !== undefined) {
    if (maxFailedIndexes === undefined) {
      errors.push(required('spec.maxFailedIndexes', `must be specified when completions is above ${COMPLETIONS_MAX}`));
    }
    if (parallelism > PARALLELISM_WITH_MANY_MAX) {
      const reason = `must be less than or equal to ${PARALLELISM_WITH_MANY_MAX} when completions are above ${COMPLETIONS_MAX} and used with backoff limit per index`;
      errors.push(invalid('spec.parallelism', parallelism, reason));
    }
  }
  return errors;
}

function validateReplacementPolicy({ podReplacementPolicy: policy, podFailurePolicy }: JobSpec): FieldError[] {
  if (policy === undefined) return [];
  const supported = podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  return supported.includes(policy) ? [] : [notSupported('spec.podReplacementPolicy', policy, supported)];
}

function validateRestartPolicy({ template, podFailurePolicy }: JobSpec): FieldError[] {
  const policy = template.spec?.restartPolicy ?? '';
  const field = 'spec.template.spec.restartPolicy';
  if (policy === '' || policy === 'Always') {
    return [required(field, 'valid values: "OnFailure", "Never"')];
  }
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(field, policy, ['OnFailure', 'Never'])];
  return podFailurePolicy !== undefined && policy !== 'Never'
    ? [invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    : [];
}

function validateSelector({ selector, template }: JobSpec): FieldError[] {
  if (selector === undefined) return [required('spec.selector')];
  const errors = validateLabelSelector(selector, 'spec.selector');
  const labels = template.metadata?.labels ?? {};
  if (errors.length === 0 && !selectorOf(selector).matches(labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  return errors;
}

/** Source: ValidateJobUpdate. */
export function validateJobUpdate(next: Job, old: Job): FieldError[] {
  const { spec } = next;
  return [
    ...validateJob(next),
    ...validateCompletionsUpdate(spec, old.spec),
    ...immutable('spec.selector', spec.selector, old.spec.selector),
    ...validateTemplateUpdate(spec, old),
    ...immutable('spec.completionMode', spec.completionMode, old.spec.completionMode),
    ...immutable('spec.podFailurePolicy', spec.podFailurePolicy, old.spec.podFailurePolicy),
    ...immutable('spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, old.spec.backoffLimitPerIndex),
    ...immutable('spec.managedBy', spec.managedBy, old.spec.managedBy),
    ...immutable('spec.successPolicy', spec.successPolicy, old.spec.successPolicy),
  ];
}

/** An indexed job can grow and shrink with its parallelism (KEP-3715). */
function validateCompletionsUpdate(spec: JobSpec, old: JobSpec): FieldError[] {
  if (spec.completionMode !== 'Indexed' || spec.completions === undefined || spec.completions === old.completions) {
    return immutable('spec.completions', spec.completions, old.completions);
  }
  if (spec.parallelism === spec.completions) return [];
  return [invalid('spec.completions', spec.completions, `can only be modified in tandem with spec.parallelism`)];
}

const SCHEDULING = ['nodeSelector', 'tolerations', 'schedulingGates'] as const;

/** While a job is suspended, where its pods go and what they ask for may still be decided (KEP-2926, KEP-5440). */
function validateTemplateUpdate({ template }: JobSpec, old: Job): FieldError[] {
  const stopped = (old.status?.conditions ?? []).some(({ type, status }) => type === 'Suspended' && status === 'True');
  const mayChange = old.spec.suspend === true && (stopped || old.status?.startTime === undefined);
  const compared = mayChange ? withScheduling(template, old.spec.template) : template;
  return semanticEqual(compared, old.spec.template) ? [] : [invalid('spec.template', template, 'field is immutable')];
}

function withScheduling(template: JobSpec['template'], old: JobSpec['template']): unknown {
  const spec: Record<string, unknown> = { ...template.spec };
  for (const key of SCHEDULING) spec[key] = old.spec?.[key];
  spec['affinity'] = { ...template.spec?.affinity, nodeAffinity: old.spec?.affinity?.nodeAffinity };
  for (const key of ['containers', 'initContainers'] as const) {
    spec[key] = template.spec?.[key]?.map((container, index) => ({ ...container, resources: old.spec?.[key]?.[index]?.resources }));
  }
  return { ...template, metadata: { ...template.metadata, labels: old.metadata?.labels, annotations: old.metadata?.annotations }, spec };
}
