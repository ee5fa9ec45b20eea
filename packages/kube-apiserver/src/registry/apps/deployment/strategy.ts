import type { Deployment } from '@orrery/api/apps/v1';
import type { Draft } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import { ensure, fill } from '../../defaulting.ts';
import { dnsLabelWarning } from '../../name-warning.ts';
import { validateDeployment, validateDeploymentStatus, validateDeploymentUpdate } from './validation.ts';

export const deploymentStrategy: Strategy<Deployment> = {
  // Annotations count too: they are copied to the ReplicaSets.
  generationOf: ({ spec, metadata }) => [spec, metadata.annotations],
  default: defaultDeployment,
  validate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
  warnings: ({ metadata, spec }, old) => [
    ...(old === undefined ? dnsLabelWarning(metadata.name) : []),
    ...podTemplateWarnings('spec.template', spec.template, old?.spec.template),
  ],
};

export const deploymentStatus: PartialUpdate<Deployment> = { default: defaultDeployment, validateUpdate: validateDeploymentStatus };

/** Source: apps/v1 SetDefaults_Deployment. */
function defaultDeployment(draft: Draft<Deployment>): void {
  const spec = ensure(draft, 'spec');
  spec.replicas ??= 1;
  const strategy = ensure(spec, 'strategy');
  fill(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') {
    const rolling = ensure(strategy, 'rollingUpdate');
    rolling.maxUnavailable ??= '25%';
    rolling.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  defaultPodTemplate(ensure(spec, 'template'));
}
