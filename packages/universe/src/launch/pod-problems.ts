import type { ContainerStatus, Pod } from '@orrery/api/core/v1';
import { findCondition } from '@orrery/client';

/** Reasons of a waiting container that mean more than that it is about to start. */
const waitingProblems: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
]);

/** Why a pod does not run, in one line; undefined while nothing is known against it. */
export function podProblem(pod: Pod): string | undefined {
  const scheduled = findCondition(pod.status?.conditions, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') return `no node takes it: ${scheduled.message ?? ''}`;
  if (pod.status?.phase === 'Failed' && pod.status.reason !== undefined) return `${pod.status.reason}: ${pod.status.message ?? ''}`.trim();
  for (const status of [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]) {
    const problem = containerProblem(status);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function containerProblem({ state, lastState, restartCount }: ContainerStatus): string | undefined {
  const { reason = '', message = '' } = state?.waiting ?? {};
  if (waitingProblems.has(reason)) {
    const ended = lastState?.terminated;
    if (reason !== 'CrashLoopBackOff' || ended === undefined) return `${reason}: ${message}`;
    return `it ends again and again: exit code ${ended.exitCode}${ended.reason === 'OOMKilled' ? ' (out of memory)' : ''}, ${restartCount} restarts`;
  }
  const ended = state?.terminated;
  return ended === undefined || ended.exitCode === 0
    ? undefined
    : `it ended with exit code ${ended.exitCode}${ended.reason === 'OOMKilled' ? ' (out of memory)' : ''}`;
}

/** Whether waiting longer is of no use unless somebody changes something. */
export const isHopeless = (problem: string): boolean => /^(InvalidImageName|ErrImageNeverPull|CreateContainerConfigError)/.test(problem);
