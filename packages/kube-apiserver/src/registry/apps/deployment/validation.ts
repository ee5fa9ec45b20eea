import type { Deployment, DeploymentSpec } from '@orrery/api/apps/v1';
import { type FieldError, forbidden, invalid, isPercent, required } from '@orrery/apimachinery';
import { selectorOf, validateReplicaTemplate, validateWorkloadSelector } from '../../core/pod-spec/validate-template.ts';
import { immutable, nonNegative } from '../../validate.ts';

export function validateDeployment({ spec }: Deployment): FieldError[] {
  return [
    ...nonNegative('spec.replicas', spec.replicas),
    ...validateSelector(spec),
    ...validateStrategy(spec),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...validateProgressDeadline(spec),
  ];
}

function validateSelector({ selector, template }: DeploymentSpec): FieldError[] {
  return [
    ...validateWorkloadSelector(selector, 'spec.selector'),
    ...validateReplicaTemplate(template, selectorOf(selector), 'spec.template'),
  ];
}

function validateProgressDeadline({ progressDeadlineSeconds: deadline, minReadySeconds = 0 }: DeploymentSpec): FieldError[] {
  if (deadline === undefined) return [];
  const errors = nonNegative('spec.progressDeadlineSeconds', deadline);
  if (deadline <= minReadySeconds) errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  return errors;
}

function validateStrategy({ strategy }: DeploymentSpec): FieldError[] {
  const { type = '', rollingUpdate } = strategy ?? {};
  if (type === 'Recreate') {
    return rollingUpdate === undefined
      ? []
      : [forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (type === 'RollingUpdate') {
    if (rollingUpdate === undefined) return [required('spec.strategy.rollingUpdate', 'this should be defaulted and never be nil')];
    const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
    const field = 'spec.strategy.rollingUpdate';
    const errors = [
      ...validateCountOrPercent(`${field}.maxUnavailable`, maxUnavailable),
      ...validateCountOrPercent(`${field}.maxSurge`, maxSurge),
    ];
    if (numberOf(maxUnavailable) === 0 && numberOf(maxSurge) === 0) {
      errors.push(invalid(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    }
    return [...errors, ...notAbove100Percent(`${field}.maxUnavailable`, maxUnavailable)];
  }
  return [
    {
      reason: 'FieldValueNotSupported',
      field: 'spec.strategy',
      message: `Unsupported value: ${JSON.stringify(strategy ?? {})}: supported values: "Recreate", "RollingUpdate"`,
    },
  ];
}

const numberOf = (value: number | string): number => (typeof value === 'number' ? value : Number.parseInt(value, 10));

/** Source: ValidatePositiveIntOrPercent. */
function validateCountOrPercent(field: string, value: number | string): FieldError[] {
  if (typeof value === 'number') return nonNegative(field, value);
  return isPercent(value).map((reason) => invalid(field, value, reason));
}

/** Source: IsNotMoreThan100Percent. */
function notAbove100Percent(field: string, value: number | string): FieldError[] {
  if (typeof value !== 'string' || isPercent(value).length > 0 || numberOf(value) <= 100) return [];
  return [invalid(field, value, 'must not be greater than 100%')];
}

export function validateDeploymentUpdate(next: Deployment, old: Deployment): FieldError[] {
  return [...validateDeployment(next), ...immutable('spec.selector', next.spec.selector, old.spec.selector)];
}

/** Source: ValidateDeploymentStatusUpdate. */
export function validateDeploymentStatus({ status = {} }: Deployment, old: Deployment): FieldError[] {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0, unavailableReplicas = 0, collisionCount } = status;
  const errors = [
    ...nonNegative('status.observedGeneration', status.observedGeneration),
    ...nonNegative('status.replicas', replicas),
    ...nonNegative('status.updatedReplicas', updatedReplicas),
    ...nonNegative('status.readyReplicas', readyReplicas),
    ...nonNegative('status.availableReplicas', availableReplicas),
    ...nonNegative('status.unavailableReplicas', unavailableReplicas),
    ...nonNegative('status.terminatingReplicas', status.terminatingReplicas),
    ...nonNegative('status.collisionCount', collisionCount),
  ];
  const above = (field: string, value: number, limit: number, name: string): void => {
    if (value > limit) errors.push(invalid(`status.${field}`, value, `cannot be greater than ${name}`));
  };
  above('updatedReplicas', updatedReplicas, replicas, 'status.replicas');
  above('readyReplicas', readyReplicas, replicas, 'status.replicas');
  above('availableReplicas', availableReplicas, replicas, 'status.replicas');
  above('availableReplicas', availableReplicas, readyReplicas, 'readyReplicas');
  const before = old.status?.collisionCount;
  if (before !== undefined && (collisionCount ?? -1) < before) {
    errors.push(invalid('status.collisionCount', collisionCount, 'cannot be decremented'));
  }
  return errors;
}
