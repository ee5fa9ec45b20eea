import { type FieldError, invalid } from '@orrery/apimachinery';
import { nonNegative } from '../validate.ts';

interface ReplicaStatus {
  readonly replicas?: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly observedGeneration?: number;
  readonly terminatingReplicas?: number;
}

/** Counts of a ReplicaSet or ReplicationController: none is below zero, none above `replicas`. Source: ValidateReplicaSetStatus. */
export function validateReplicaStatus(status: ReplicaStatus = {}): FieldError[] {
  const { replicas = 0, fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const errors = [
    ...nonNegative('status.replicas', replicas),
    ...nonNegative('status.fullyLabeledReplicas', fullyLabeledReplicas),
    ...nonNegative('status.readyReplicas', readyReplicas),
    ...nonNegative('status.availableReplicas', availableReplicas),
    ...nonNegative('status.observedGeneration', status.observedGeneration),
    ...nonNegative('status.terminatingReplicas', status.terminatingReplicas),
  ];
  const above = (field: string, value: number, limit: number, name: string): void => {
    if (value > limit) errors.push(invalid(`status.${field}`, value, `cannot be greater than ${name}`));
  };
  above('fullyLabeledReplicas', fullyLabeledReplicas, replicas, 'status.replicas');
  above('readyReplicas', readyReplicas, replicas, 'status.replicas');
  above('availableReplicas', availableReplicas, replicas, 'status.replicas');
  above('availableReplicas', availableReplicas, readyReplicas, 'readyReplicas');
  return errors;
}
