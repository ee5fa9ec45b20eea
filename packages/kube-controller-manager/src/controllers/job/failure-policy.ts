import type { PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement } from '@orrery/api/batch/v1';
import type { ContainerStatus, Pod } from '@orrery/api/core/v1';

export interface FailureVerdict {
  /** Set by a `FailJob` rule: why the job fails. */
  readonly failsJob?: string;
  /** Whether the failure counts towards the backoff limits. */
  readonly counts: boolean;
  readonly failsIndex: boolean;
}

const counted: FailureVerdict = { counts: true, failsIndex: false };

/** What a pod's failure means for its job: the first rule that matches says so. Source: KEP-3329, matchPodFailurePolicy. */
export function judgeFailure(policy: PodFailurePolicy | undefined, pod: Pod): FailureVerdict {
  for (const [index, { action, onExitCodes, onPodConditions }] of (policy?.rules ?? []).entries()) {
    const cause = onExitCodes === undefined ? conditionCause(pod, onPodConditions ?? []) : exitCause(pod, onExitCodes);
    if (cause === undefined) continue;
    if (action === 'Ignore') return { counts: false, failsIndex: false };
    if (action === 'FailIndex') return { counts: true, failsIndex: true };
    if (action === 'Count') return counted;
    if (action === 'FailJob') return { ...counted, failsJob: `${cause} matching ${action} rule at index ${index}` };
  }
  return counted;
}

function exitCause({ metadata, status }: Pod, requirement: PodFailurePolicyOnExitCodesRequirement): string | undefined {
  const found = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find((container) =>
    exitMatches(container, requirement),
  );
  if (found === undefined) return undefined;
  return `Container ${found.name} for pod ${metadata.namespace}/${metadata.name} failed with exit code ${found.state?.terminated?.exitCode}`;
}

function exitMatches(
  { name, state }: ContainerStatus,
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
): boolean {
  const code = state?.terminated?.exitCode ?? 0;
  if (code === 0 || (containerName !== undefined && containerName !== name)) return false;
  return operator === 'In' ? values.includes(code) : operator === 'NotIn' && !values.includes(code);
}

function conditionCause(
  { metadata, status }: Pod,
  patterns: readonly { readonly type: string; readonly status?: string }[],
): string | undefined {
  const found = (status.conditions ?? []).find((condition) =>
    patterns.some((pattern) => pattern.type === condition.type && (pattern.status ?? 'True') === condition.status),
  );
  return found === undefined ? undefined : `Pod ${metadata.namespace}/${metadata.name} has condition ${found.type}`;
}
