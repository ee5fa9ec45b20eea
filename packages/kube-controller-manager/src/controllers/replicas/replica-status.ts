import type { Pod, PodTemplateSpec } from '@orrery/api/core/v1';
import { selectorFromSet } from '@orrery/apimachinery';
import { findCondition, isPodAvailable, isPodReady, podAvailableInMs, removeCondition } from '@orrery/client';
import type { ReplicaStatus } from './replica-owner.ts';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface StatusInput {
  readonly old: ReplicaStatus;
  readonly template: PodTemplateSpec;
  readonly minReadySeconds: number;
  readonly generation: number;
  /** Active pods of the owner. */
  readonly pods: readonly Pod[];
  /** Undefined where the kind does not count them. */
  readonly terminating: number | undefined;
  /** What went wrong while creating or deleting in this pass. */
  readonly failure: Failure | undefined;
  readonly nowMs: number;
  /** RFC 3339. */
  readonly now: string;
}

export interface Failure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/** The status that an owner should have. Source: calculateStatus of the replica set controller. */
export function replicaStatus({
  old,
  template,
  minReadySeconds,
  generation,
  pods,
  terminating,
  failure,
  nowMs,
  now,
}: StatusInput): ReplicaStatus {
  const templateLabels = selectorFromSet(template.metadata?.labels ?? {});
  const conditions = failureCondition(old.conditions, failure, now);
  const counted = {
    replicas: pods.length,
    fullyLabeledReplicas: pods.filter((pod) => templateLabels.matches(pod.metadata.labels ?? {})).length,
    readyReplicas: pods.filter(isPodReady).length,
    availableReplicas: pods.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length,
  };
  return {
    replicas: counted.replicas,
    ...nonZero('fullyLabeledReplicas', counted.fullyLabeledReplicas),
    ...nonZero('readyReplicas', counted.readyReplicas),
    ...nonZero('availableReplicas', counted.availableReplicas),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    observedGeneration: generation,
    ...(conditions === undefined || conditions.length === 0 ? {} : { conditions }),
  };
}

/** Go leaves zero out of these fields. */
const nonZero = <K extends string>(name: K, value: number): { readonly [P in K]?: number } =>
  value === 0 ? {} : ({ [name]: value } as { readonly [P in K]?: number });

const FAILURE = 'ReplicaFailure';

/** Set while creating or deleting fails; its first time stays. */
function failureCondition(
  conditions: readonly Condition[] | undefined,
  failure: Failure | undefined,
  now: string,
): readonly Condition[] | undefined {
  if (failure === undefined) return removeCondition(conditions, FAILURE);
  if (findCondition(conditions, FAILURE) !== undefined) return conditions;
  return [
    ...(conditions ?? []),
    { type: FAILURE, status: 'True', reason: failure.reason, message: failure.message, lastTransitionTime: now },
  ];
}

/** When the next pod becomes available by the mere passing of time; undefined when none will. */
export function nextAvailableInMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  const waits = pods.map((pod) => podAvailableInMs(pod, minReadySeconds, nowMs)).filter((wait) => wait !== undefined && wait > 0);
  return waits.length === 0 ? undefined : Math.min(...(waits as number[]));
}
