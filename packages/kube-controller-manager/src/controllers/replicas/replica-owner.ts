import type { Pod, PodTemplateSpec } from '@orrery/api/core/v1';
import type { KubeObject, Resource, Selector } from '@orrery/apimachinery';
import type { Condition } from './replica-status.ts';

/** What ReplicaSet and ReplicationController have in common. */
export interface ReplicaStatus {
  readonly replicas: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly terminatingReplicas?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

/** How the one replica controller reads and writes a kind. */
export interface ReplicaOwner<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** Component in events, as upstream's. */
  readonly component: string;
  replicas(owner: T): number;
  minReadySeconds(owner: T): number;
  template(owner: T): PodTemplateSpec;
  selector(owner: T): Selector;
  status(owner: T): ReplicaStatus;
  withStatus(owner: T, status: ReplicaStatus): T;
  /** Whether the kind's status counts pods that are being deleted. */
  readonly countsTerminating: boolean;
  /** How many other pods of related owners share a pod's node: those go first when there are too many. @default 0 for all */
  related?(owner: T): readonly Pod[];
}
