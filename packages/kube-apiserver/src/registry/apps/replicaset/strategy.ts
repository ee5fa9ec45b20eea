import type { ReplicaSet } from '@orrery/api/apps/v1';
import type { Draft, FieldError } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { selectorOf, validateReplicaTemplate, validateWorkloadSelector } from '../../core/pod-spec/validate-template.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import { validateReplicaStatus } from '../../core/replica-status.ts';
import { ensure } from '../../defaulting.ts';
import { dnsLabelWarning } from '../../name-warning.ts';
import { immutable, nonNegative } from '../../validate.ts';

export const replicaSetStrategy: Strategy<ReplicaSet> = {
  default: defaultReplicaSet,
  validate: validateReplicaSet,
  validateUpdate: (next, old) => [...validateReplicaSet(next), ...immutable('spec.selector', next.spec.selector, old.spec.selector)],
  warnings: ({ metadata, spec }, old) => [
    ...(old === undefined ? dnsLabelWarning(metadata.name) : []),
    ...podTemplateWarnings('spec.template', spec.template, old?.spec.template),
  ],
};

export const replicaSetStatus: PartialUpdate<ReplicaSet> = {
  default: defaultReplicaSet,
  validateUpdate: ({ status }) => validateReplicaStatus(status),
};

function defaultReplicaSet(draft: Draft<ReplicaSet>): void {
  const spec = ensure(draft, 'spec');
  spec.replicas ??= 1;
  defaultPodTemplate(ensure(spec, 'template'));
}

function validateReplicaSet({ spec }: ReplicaSet): FieldError[] {
  return [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateWorkloadSelector(spec.selector, 'spec.selector'),
    ...validateReplicaTemplate(spec.template, selectorOf(spec.selector), 'spec.template'),
  ];
}
