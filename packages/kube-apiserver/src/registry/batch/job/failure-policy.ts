import type { JobSpec, PodFailurePolicyRule } from '@orrery/api/batch/v1';
import { duplicate, type FieldError, invalid, isQualifiedName, notSupported, required, tooMany } from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';

const RULES_MAX = 20;
const VALUES_MAX = 255;
const PATTERNS_MAX = 20;
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

/** Source: validatePodFailurePolicy. */
export function validateFailurePolicy(spec: JobSpec, field: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const errors = rules.length > RULES_MAX ? [tooMany(`${field}.rules`, rules.length, RULES_MAX)] : [];
  const pod = spec.template.spec;
  const names = new Set([...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].map(({ name }) => name));
  return [...errors, ...each(`${field}.rules`, rules, (rule, path) => validateRule(rule, spec, names, path))];
}

function validateRule(rule: PodFailurePolicyRule, spec: JobSpec, names: ReadonlySet<string>, field: string): FieldError[] {
  const { action = '', onExitCodes, onPodConditions } = rule;
  const errors: FieldError[] = [];
  if (action === '') errors.push(required(`${field}.action`, 'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'));
  else if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(`${field}.action`, action, 'requires the backoffLimitPerIndex to be set'));
  } else if (!actions.includes(action)) errors.push(notSupported(`${field}.action`, action, actions));
  const patterns = onPodConditions ?? [];
  if (onExitCodes !== undefined) errors.push(...validateExitCodes(onExitCodes, names, `${field}.onExitCodes`));
  if (patterns.length > 0) errors.push(...validatePatterns(patterns, `${field}.onPodConditions`));
  if (onExitCodes !== undefined && patterns.length > 0) {
    errors.push(invalid(field, '', 'specifying both OnExitCodes and OnPodConditions is not supported'));
  }
  if (onExitCodes === undefined && patterns.length === 0)
    errors.push(invalid(field, '', 'specifying one of OnExitCodes and OnPodConditions is required'));
  return errors;
}

function validatePatterns(patterns: NonNullable<PodFailurePolicyRule['onPodConditions']>, field: string): FieldError[] {
  const errors = patterns.length > PATTERNS_MAX ? [tooMany(field, patterns.length, PATTERNS_MAX)] : [];
  return [
    ...errors,
    ...each(field, patterns, ({ type = '', status = '' }, path) => [
      ...check(`${path}.type`, type, isQualifiedName),
      ...(status === '' ? [required(`${path}.status`, 'valid values: ["False" "True" "Unknown"]')] : []),
      ...(status === '' || ['False', 'True', 'Unknown'].includes(status)
        ? []
        : [notSupported(`${path}.status`, status, ['False', 'True', 'Unknown'])]),
    ]),
  ];
}

function validateExitCodes(
  codes: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  names: ReadonlySet<string>,
  field: string,
): FieldError[] {
  const { operator = '', containerName, values = [] } = codes;
  const errors: FieldError[] = [];
  if (operator === '') errors.push(required(`${field}.operator`, 'valid values: ["In" "NotIn"]'));
  else if (operator !== 'In' && operator !== 'NotIn') errors.push(notSupported(`${field}.operator`, operator, ['In', 'NotIn']));
  if (containerName !== undefined && !names.has(containerName)) {
    errors.push(
      invalid(`${field}.containerName`, containerName, 'must be one of the container or initContainer names in the pod template'),
    );
  }
  if (values.length === 0) errors.push(invalid(`${field}.values`, values, 'at least one value is required'));
  else if (values.length > VALUES_MAX) errors.push(tooMany(`${field}.values`, values.length, VALUES_MAX));
  const seen = new Set<number>();
  errors.push(
    ...each(`${field}.values`, values, (value, path) => {
      if (operator === 'In' && value === 0) return [invalid(path, value, 'must not be 0 for the In operator')];
      if (seen.has(value)) return [duplicate(path, value)];
      seen.add(value);
      return [];
    }),
  );
  if (values.some((value, index) => index > 0 && value < (values[index - 1] ?? 0)))
    errors.push(invalid(`${field}.values`, values, 'must be ordered'));
  return errors;
}
