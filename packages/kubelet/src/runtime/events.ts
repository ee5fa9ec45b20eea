import type { ObjectReference, Pod } from '@orrery/api/core/v1';
import type { ContainerSpec } from '../pod/container-spec.ts';

/** Reasons of the kubelet's events. Wire format. Source: pkg/kubelet/events. */
export const reasons = {
  created: 'Created',
  started: 'Started',
  failed: 'Failed',
  killing: 'Killing',
  backOff: 'BackOff',
  exceededGracePeriod: 'ExceededGracePeriod',
  failedKillPod: 'FailedKillPod',
  pulling: 'Pulling',
  pulled: 'Pulled',
  failedToInspect: 'InspectFailed',
  errImageNeverPull: 'ErrImageNeverPull',
  failedMount: 'FailedMount',
  failedCreatePodSandBox: 'FailedCreatePodSandBox',
  failedCreatePodContainer: 'FailedCreatePodContainer',
  failedStatusPodSandBox: 'FailedPodSandBoxStatus',
  sandboxChanged: 'SandboxChanged',
  unhealthy: 'Unhealthy',
  probeWarning: 'ProbeWarning',
  failedSync: 'FailedSync',
  failedPostStartHook: 'FailedPostStartHook',
  failedPreStopHook: 'FailedPreStopHook',
  invalidEnvironment: 'InvalidEnvironmentVariableNames',
  networkNotReady: 'NetworkNotReady',
  deadlineExceeded: 'DeadlineExceeded',
  starting: 'Starting',
  nodeReady: 'NodeReady',
  nodeNotReady: 'NodeNotReady',
  evicted: 'Evicted',
  evictionThresholdMet: 'EvictionThresholdMet',
  freeDiskSpaceFailed: 'FreeDiskSpaceFailed',
  resizeStarted: 'ResizeStarted',
  resizeCompleted: 'ResizeCompleted',
  resizeDeferred: 'ResizeDeferred',
  resizeInfeasible: 'ResizeInfeasible',
  resizeError: 'ResizeError',
  nodeAllocatableEnforced: 'NodeAllocatableEnforced',
  failedNodeAllocatableEnforcement: 'FailedNodeAllocatableEnforcement',
} as const;

export type EventType = 'Normal' | 'Warning';

/** Takes events and never fails: it is told, not asked. */
export interface EventSink {
  event(about: ObjectReference, type: EventType, reason: string, message: string): void;
}

export const podReference = ({ metadata }: Pod): ObjectReference => ({
  apiVersion: 'v1',
  kind: 'Pod',
  name: metadata.name,
  namespace: metadata.namespace ?? '',
  uid: metadata.uid,
  resourceVersion: metadata.resourceVersion,
});

const lists: Readonly<Record<ContainerSpec['kind'], string>> = {
  container: 'spec.containers',
  init: 'spec.initContainers',
  ephemeral: 'spec.ephemeralContainers',
};

/** The pod, with `fieldPath` naming the container. */
export const containerReference = (pod: Pod, { kind, container }: ContainerSpec): ObjectReference => ({
  ...podReference(pod),
  fieldPath: `${lists[kind]}{${container.name}}`,
});
