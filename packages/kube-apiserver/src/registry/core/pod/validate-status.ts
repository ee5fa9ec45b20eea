import type { Container, ContainerStatus, Pod, PodCondition } from '@orrery/api/core/v1';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  isIpForLegacyField,
  isQualifiedName,
  nameIsDnsSubdomain,
} from '@orrery/apimachinery';
import { check, each, immutable, nonNegative } from '../../validate.ts';

const systemConditions = new Set(['Initialized', 'PodScheduled', 'Ready']);

/** Source: ValidatePodStatusUpdate. */
export function validatePodStatusUpdate(next: Pod, old: Pod): FieldError[] {
  const { status } = next;
  const nominated = status.nominatedNodeName ?? '';
  const renamed = nominated !== '' && nominated !== old.status?.nominatedNodeName;
  return [
    ...each('metadata.conditions', status.conditions, validateCondition), // The path is upstream's.
    ...nonNegative('status.observedGeneration', status.observedGeneration),
    ...(renamed ? nameIsDnsSubdomain(nominated, false).map((reason) => invalid('status.nominatedNodeName', nominated, reason)) : []),
    ...immutable('status.qosClass', status.qosClass, old.status?.qosClass),
    ...validateAllTransitions(next, old),
    ...validateAddresses(next),
  ];
}

function validateCondition({ type = '', observedGeneration }: PodCondition, field: string): FieldError[] {
  return [
    ...(systemConditions.has(type) ? [] : check(`${field}.Type`, type, isQualifiedName)),
    ...nonNegative(`${field}.observedGeneration`, observedGeneration),
  ];
}

function validateAllTransitions({ status, spec }: Pod, { status: old }: Pod): FieldError[] {
  const policy = spec.restartPolicy ?? 'Always';
  const byName = new Map([...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => [container.name, container]));
  const ofPod = (name: string): string => policyOf(byName.get(name), policy);
  return [
    ...validateTransitions(status.containerStatuses, old?.containerStatuses, ofPod, 'status.containerStatuses'),
    ...validateTransitions(status.initContainerStatuses, old?.initContainerStatuses, ofPod, 'status.initContainerStatuses'),
    ...validateTransitions(
      status.ephemeralContainerStatuses,
      old?.ephemeralContainerStatuses,
      () => 'Never',
      'status.ephemeralContainerStatuses',
    ),
  ];
}

/** A container's own policy goes before the pod's; rules of its own may always restart it. */
function policyOf(container: Container | undefined, podPolicy: string): string {
  if ((container?.restartPolicyRules ?? []).length > 0) return 'Always';
  return container?.restartPolicy ?? podPolicy;
}

/** What has ended for good does not run again. Source: ValidateContainerStateTransition. */
function validateTransitions(
  next: readonly ContainerStatus[] | undefined,
  old: readonly ContainerStatus[] | undefined,
  policyOf: (name: string) => string,
  field: string,
): FieldError[] {
  return each(field, old, ({ name, state }, path) => {
    const policy = policyOf(name);
    const mayRestart = policy === 'Always' || (policy === 'OnFailure' && state?.terminated?.exitCode !== 0);
    if (state?.terminated === undefined || mayRestart) return [];
    const runs = (next ?? []).some((status) => status.name === name && status.state?.terminated === undefined);
    return runs ? [forbidden(`${path}.state`, 'may not be transitioned to non-terminated state')] : [];
  });
}

function validateAddresses({ status }: Pod): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of ['podIPs', 'hostIPs'] as const) {
    const seen = new Set<string>();
    const list = status[key] ?? [];
    errors.push(
      ...each(`status.${key}`, list, (entry, path) => {
        const ip = entry.ip ?? '';
        const found = check(path, ip, isIpForLegacyField);
        if (seen.has(ip)) found.push(duplicate(path, entry));
        seen.add(ip);
        return found;
      }),
    );
    const sameFamily = list.length === 2 && list[0]?.ip?.includes(':') === list[1]?.ip?.includes(':');
    if (list.length > 2 || sameFamily) errors.push(invalid(`status.${key}`, list, 'may specify no more than one IP for each IP family'));
  }
  const host = status.hostIPs?.[0]?.ip;
  if (host !== undefined && host !== status.hostIP) errors.push(invalid('status.hostIPs[0].ip', host, 'must be equal to `hostIP`'));
  return errors;
}
