import type { ReplicationController } from '@orrery/api/core/v1';
import { type Draft, type FieldError, required, selectorFromSet } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { ensure } from '../../defaulting.ts';
import { nonNegative } from '../../validate.ts';
import { defaultPodTemplate } from '../pod-spec/defaults.ts';
import { validateReplicaTemplate } from '../pod-spec/validate-template.ts';
import { podTemplateWarnings } from '../pod-spec/warnings.ts';
import { validateReplicaStatus } from '../replica-status.ts';

export const replicationControllerStrategy: Strategy<ReplicationController> = {
  default: defaultReplicationController,
  defaultPropagation: 'Orphan',
  validate: validateReplicationController,
  validateUpdate: (next) => validateReplicationController(next),
  warnings: ({ spec }, old) => podTemplateWarnings('spec.template', spec.template, old?.spec.template),
};

export const replicationControllerStatus: PartialUpdate<ReplicationController> = {
  default: defaultReplicationController,
  validateUpdate: ({ status }) => validateReplicaStatus(status),
};

function defaultReplicationController(draft: Draft<ReplicationController>): void {
  const spec = ensure(draft, 'spec');
  spec.replicas ??= 1;
  const labels = spec.template?.metadata?.labels;
  if (labels !== undefined && labels !== null) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (Object.keys(draft.metadata.labels ?? {}).length === 0) draft.metadata.labels = { ...labels };
  }
  if (spec.template) defaultPodTemplate(spec.template);
}

function validateReplicationController({ spec }: ReplicationController): FieldError[] {
  const empty = Object.keys(spec.selector ?? {}).length === 0;
  return [
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...(empty ? [required('spec.selector')] : []),
    ...nonNegative('spec.replicas', spec.replicas),
    ...validateReplicaTemplate(spec.template, selectorFromSet(spec.selector), 'spec.template', 'ReplicationController'),
  ];
}
