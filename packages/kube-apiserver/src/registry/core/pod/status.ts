import type { ContainerStatus, Pod, PodCondition } from '@orrery/api/core/v1';
import { type Draft, duplicate, type FieldError, forbidden, invalid, isIpForLegacyField, isQualifiedName } from '@orrery/apimachinery';
import type { PartialUpdate } from '@orrery/apiserver';
import { asDraft } from '../../defaulting.ts';
import { check, each, nonNegative } from '../../validate.ts';

/** `/status`: the node agent's view. Source: podStatusStrategy. */
export const podStatus: PartialUpdate<Pod> = {
  prepareForUpdate(draft, old) {
    draft.spec = asDraft(old.spec);
    if (old.metadata.deletionTimestamp === undefined) delete draft.metadata.deletionTimestamp;
    if (old.metadata.ownerReferences === undefined) delete draft.metadata.ownerReferences;
    else draft.metadata.ownerReferences = asDraft(old.metadata.ownerReferences);
    draft.status ??= {};
    if (!draft.status.qosClass && old.status?.qosClass !== undefined) draft.status.qosClass = old.status.qosClass;
    keepObservedGenerations(draft, old);
  },
  validateUpdate: validatePodStatusUpdate,
};

/** A client that does not know `observedGeneration` must not clear it. */
function keepObservedGenerations({ status }: Draft<Pod>, old: Pod): void {
  if (!status.observedGeneration && old.status?.observedGeneration) status.observedGeneration = old.status.observedGeneration;
  const before = [...(old.status?.conditions ?? [])];
  status.conditions?.forEach((condition, index, list) => {
    const found = before.findIndex(({ type }) => type === condition.type);
    const [previous] = found < 0 ? [] : before.splice(found, 1);
    if (!condition.observedGeneration && previous?.observedGeneration) {
      list[index] = { ...condition, observedGeneration: previous.observedGeneration };
    }
  });
}

const systemConditions = new Set([
  'ContainersReady',
  'DisruptionTarget',
  'Initialized',
  'PodReadyToStartContainers',
  'PodResizeInProgress',
  'PodResizePending',
  'PodScheduled',
  'Ready',
]);

/** Source: ValidatePodStatusUpdate. */
function validatePodStatusUpdate(next: Pod, old: Pod): FieldError[] {
  const { status, spec } = next;
  const errors = [...nonNegative('status.observedGeneration', status.observedGeneration)];
  errors.push(...each('status.conditions', status.conditions, validateCondition));
  if (spec.restartPolicy !== 'Always') {
    const finished = spec.restartPolicy === 'OnFailure' ? (code: number): boolean => code === 0 : (): boolean => true;
    errors.push(...validateTransitions(status.containerStatuses, old.status?.containerStatuses, finished, 'status.containerStatuses'));
  }
  return [...errors, ...validateAddresses(next)];
}

function validateCondition({ type = '', observedGeneration }: PodCondition, field: string): FieldError[] {
  return [
    ...(systemConditions.has(type) ? [] : check(`${field}.Type`, type, isQualifiedName)),
    ...nonNegative(`${field}.observedGeneration`, observedGeneration),
  ];
}

/** What has ended for good does not run again. Source: ValidateContainerStateTransition. */
function validateTransitions(
  next: readonly ContainerStatus[] | undefined,
  old: readonly ContainerStatus[] | undefined,
  finished: (exitCode: number) => boolean,
  field: string,
): FieldError[] {
  const ended = new Set(
    (old ?? []).filter(({ state }) => state?.terminated !== undefined && finished(state.terminated.exitCode)).map(({ name }) => name),
  );
  return each(field, next, ({ name, state }, path) =>
    ended.has(name) && state?.terminated === undefined
      ? [forbidden(`${path}.state`, 'may not be transitioned to non-terminated state')]
      : [],
  );
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
