import type { PodTemplateSpec } from '@orrery/api/core/v1';
import {
  type FieldError,
  forbidden,
  invalid,
  type LabelSelector,
  noLabel,
  notSupported,
  type ParsedLabelSelector,
  required,
  selectorFromLabelSelector,
  validateAnnotations,
  validateLabelSelector,
  validateLabels,
} from '@orrery/apimachinery';
import { validatePodSpec } from './validate-spec.ts';

/** Source: ValidatePodTemplateSpec. */
export function validatePodTemplate(template: PodTemplateSpec | undefined, field: string): FieldError[] {
  if (template === undefined || template === null) return [required(field)];
  const { metadata, spec } = template;
  return [
    ...validateLabels(metadata?.labels, `${field}.labels`),
    ...validateAnnotations(metadata?.annotations, `${field}.annotations`),
    ...(spec === undefined ? [required(`${field}.spec.containers`)] : validatePodSpec(spec, undefined, `${field}.spec`)),
    ...((spec?.ephemeralContainers ?? []).length > 0
      ? [forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')]
      : []),
  ];
}

/** A template whose pods run for ever and are found by `selector`. Source: ValidatePodTemplateSpecForReplicaSet. */
export function validateReplicaTemplate(
  template: PodTemplateSpec | undefined,
  selector: ParsedLabelSelector,
  field: string,
  kind = 'ReplicaSet',
): FieldError[] {
  if (template === undefined || template === null) return [required(field)];
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels ?? {};
  if (!selector.everything && !selector.matches(labels)) {
    errors.push(invalid(`${field}.metadata.labels`, labels, '`selector` does not match template `labels`'));
  }
  errors.push(...validatePodTemplate(template, field));
  const policy = template.spec?.restartPolicy ?? '';
  if (policy !== 'Always') errors.push(notSupported(`${field}.spec.restartPolicy`, policy, ['Always']));
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    errors.push(forbidden(`${field}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`));
  }
  return errors;
}

/** The selector of a Deployment or ReplicaSet: there, valid and not empty. */
export function validateWorkloadSelector(selector: LabelSelector | undefined, field: string): FieldError[] {
  if (selector === undefined || selector === null) return [required(field)];
  const errors = validateLabelSelector(selector, field);
  const empty = Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
  return empty ? [...errors, invalid(field, selector, 'empty selector is invalid for deployment')] : errors;
}

/** The parsed form of a selector that may be invalid: an invalid one, and none, take nothing. */
export function selectorOf(selector: LabelSelector | undefined): ParsedLabelSelector {
  if (selector === undefined || validateLabelSelector(selector, '').length > 0) return noLabel;
  return selectorFromLabelSelector(selector);
}
