import type { Container, NodeSelectorTerm, Pod, PodSpec } from '@orrery/api/core/v1';
import { type FieldError, forbidden, invalid, rangeMessage, required } from '@orrery/apimachinery';
import { fieldDiff } from '../../field-diff.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { each } from '../../validate.ts';
import { validateImageText } from '../pod-spec/validate-containers.ts';
import { validateOnlyAddedTolerations, validateOnlyDeletedGates } from '../pod-spec/validate-scheduling.ts';
import { validatePod } from './validation.ts';

const INT32_MAX = 2 ** 31 - 1;
/** What an update may change, in upstream's words. */
const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** Source: ValidatePodUpdate. */
export function validatePodUpdate(next: Pod, old: Pod): FieldError[] {
  const errors = validatePod(next);
  for (const key of ['containers', 'initContainers'] as const) {
    const { found, stop } = validateContainerUpdates(next.spec[key], old.spec[key], `spec.${key}`);
    errors.push(...found);
    if (stop) return errors;
  }
  const deadline = validateDeadlineUpdate(next.spec, old.spec);
  errors.push(...deadline.found);
  if (deadline.stop) return errors;
  errors.push(
    ...validateOnlyAddedTolerations(next.spec.tolerations, old.spec.tolerations, 'spec.tolerations'),
    ...validateOnlyDeletedGates(next.spec.schedulingGates, old.spec.schedulingGates, 'spec.schedulingGates'),
  );
  if (semanticEqual(next.spec, old.spec)) return errors;
  const gated = (old.spec.schedulingGates ?? []).length > 0;
  if (gated) errors.push(...validateGatedChanges(next.spec, old.spec));
  const rest = withAllowedFrom(next.spec, old.spec, gated);
  if (!semanticEqual(rest, old.spec)) {
    errors.push(forbidden('spec', `pod updates may not change fields other than ${updatable}\n${fieldDiff(old.spec, rest)}`));
  }
  return errors;
}

interface Partial {
  readonly found: FieldError[];
  /** The rest would only repeat it. */
  readonly stop: boolean;
}

function validateContainerUpdates(next: readonly Container[] = [], old: readonly Container[] = [], field: string): Partial {
  if (next.length !== old.length) return { found: [forbidden(field, 'pod updates may not add or remove containers')], stop: true };
  const found = each(field, next, (container, path) => [
    ...(container.image ? [] : [required(`${path}.image`)]),
    ...validateImageText(container, path),
  ]);
  return { found, stop: false };
}

function validateDeadlineUpdate({ activeDeadlineSeconds: next }: PodSpec, { activeDeadlineSeconds: old }: PodSpec): Partial {
  const field = 'spec.activeDeadlineSeconds';
  if (next === undefined) {
    const found = old === undefined ? [] : [invalid(field, next, 'must not update from a positive integer to nil value')];
    return { found, stop: false };
  }
  if (next < 0 || next > INT32_MAX) return { found: [invalid(field, next, rangeMessage(0, INT32_MAX))], stop: true };
  if (old !== undefined && old < next) return { found: [invalid(field, next, 'must be less than or equal to previous value')], stop: true };
  return { found: [], stop: false };
}

const withImages = (next: readonly Container[] = [], old: readonly Container[] = []): Container[] =>
  next.map((container, index) => ({ ...container, image: old[index]?.image ?? '' }));

/** `next` with everything that it may change set back. */
function withAllowedFrom(next: PodSpec, old: PodSpec, gated: boolean): PodSpec {
  const rest: Record<string, unknown> = {
    ...next,
    containers: withImages(next.containers, old.containers),
    initContainers: withImages(next.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
  };
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1) {
    rest['terminationGracePeriodSeconds'] = old.terminationGracePeriodSeconds;
  }
  if (gated) {
    rest['nodeSelector'] = old.nodeSelector;
    rest['affinity'] = { ...next.affinity, nodeAffinity: old.affinity?.nodeAffinity };
  }
  return rest as unknown as PodSpec;
}

/** A gated pod may be bound to fewer nodes, never to more (KEP-3838). */
function validateGatedChanges(next: PodSpec, old: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(old.nodeSelector ?? {})) {
    if (next.nodeSelector?.[key] !== value) {
      errors.push(
        invalid('spec.nodeSelector', next.nodeSelector, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'),
      );
      break;
    }
  }
  const before = old.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const after = next.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (before === undefined || (before.nodeSelectorTerms ?? []).length === 0) return errors;
  const field = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  const terms = after?.nodeSelectorTerms ?? [];
  if (terms.length !== before.nodeSelectorTerms.length) {
    return [...errors, invalid(field, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')];
  }
  const narrowed = before.nodeSelectorTerms.every((term, index) => isNarrowed(terms[index], term));
  return narrowed ? errors : [...errors, invalid(field, terms, 'only additions are allowed (no mutations or deletions)')];
}

function isNarrowed(next: NodeSelectorTerm | undefined, old: NodeSelectorTerm): boolean {
  const prefix = (a: readonly unknown[] = [], b: readonly unknown[] = []): boolean =>
    b.every((item, index) => semanticEqual(a[index], item));
  return prefix(next?.matchExpressions, old.matchExpressions) && prefix(next?.matchFields, old.matchFields);
}
