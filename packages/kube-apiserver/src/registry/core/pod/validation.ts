import type { Pod } from '@orrery/api/core/v1';
import { type FieldError, fieldPath, forbidden, invalid } from '@orrery/apimachinery';
import { each } from '../../validate.ts';
import { validateImageText } from '../pod-spec/validate-containers.ts';
import { validatePodSpec } from '../pod-spec/validate-spec.ts';

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/** What holds for a pod on create and on update. Source: validatePodMetadataAndSpec. */
export function validatePod({ metadata, spec }: Pod): FieldError[] {
  return [
    ...validateDeletionCost(metadata.annotations),
    ...validatePodSpec(spec, metadata, 'spec'),
    ...each('spec.containers', spec.containers, validateImageText),
    ...each('spec.initContainers', spec.initContainers, validateImageText),
  ];
}

function validateDeletionCost(annotations: Readonly<Record<string, string>> | undefined): FieldError[] {
  const text = annotations?.[DELETION_COST];
  if (text === undefined) return [];
  const fits = /^(0|-?[1-9]\d{0,9})$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31;
  return fits ? [] : [invalid(fieldPath('metadata', 'annotations', { key: DELETION_COST }), text, 'must be a 32bit integer')];
}

/** Source: ValidatePodCreate. */
export function validatePodCreate(pod: Pod): FieldError[] {
  const { spec } = pod;
  const errors = validatePod(pod);
  if ((spec.ephemeralContainers ?? []).length > 0) errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return errors;
}
