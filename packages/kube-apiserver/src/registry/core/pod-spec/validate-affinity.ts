import type { Affinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinity, PodAffinityTerm } from '@orrery/api/core/v1';
import {
  type FieldError,
  forbidden,
  invalid,
  isValidLabelValue,
  type LabelSelector,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  required,
  validateLabelName,
  validateLabelSelector,
} from '@orrery/apimachinery';
import { each } from '../../validate.ts';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

/** Source: validateAffinity. */
export function validateAffinity(affinity: Affinity | undefined, field: string): FieldError[] {
  const node = affinity?.nodeAffinity;
  return [
    ...(node?.[REQUIRED] ? validateNodeSelector(node[REQUIRED], `${field}.nodeAffinity.${REQUIRED}`) : []),
    ...each(`${field}.nodeAffinity.${PREFERRED}`, node?.[PREFERRED], ({ weight, preference }, path) => [
      ...validateWeight(weight, path),
      ...validateTerm(preference, true, `${path}.preference`),
    ]),
    ...validatePodAffinity(affinity?.podAffinity, `${field}.podAffinity`),
    ...validatePodAffinity(affinity?.podAntiAffinity, `${field}.podAntiAffinity`),
  ];
}

const validateWeight = (weight: number, field: string): FieldError[] =>
  weight >= 1 && weight <= 100 ? [] : [invalid(`${field}.weight`, weight, 'must be in the range 1-100')];

/** Source: ValidateNodeSelector. */
export function validateNodeSelector({ nodeSelectorTerms: terms }: NodeSelector, field: string): FieldError[] {
  const path = `${field}.nodeSelectorTerms`;
  if ((terms ?? []).length === 0) return [required(path, 'must have at least one node selector term')];
  return each(path, terms, (term, item) => validateTerm(term, false, item));
}

function validateTerm(term: NodeSelectorTerm | undefined, anyValue: boolean, field: string): FieldError[] {
  return [
    ...each(`${field}.matchExpressions`, term?.matchExpressions, (expression, path) => validateExpression(expression, anyValue, path)),
    ...each(`${field}.matchFields`, term?.matchFields, validateFieldExpression),
  ];
}

function validateExpression({ key = '', operator, values = [] }: NodeSelectorRequirement, anyValue: boolean, field: string): FieldError[] {
  const errors = [...validateOperator(operator, values, field), ...validateLabelName(key, `${field}.key`)];
  if (anyValue) return errors;
  return [
    ...errors,
    ...each(`${field}.values`, values, (value, path) => isValidLabelValue(value).map((reason) => invalid(path, value, reason))),
  ];
}

function validateOperator(operator: string | undefined, values: readonly string[], field: string): FieldError[] {
  const path = `${field}.values`;
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0 ? [] : [required(path, "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0 ? [] : [forbidden(path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    case 'Gt':
    case 'Lt':
      return values.length === 1 ? [] : [required(path, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
    default:
      return [invalid(`${field}.operator`, operator ?? '', 'not a valid selector operator')];
  }
}

function validateFieldExpression({ key = '', operator, values = [] }: NodeSelectorRequirement, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== 'In' && operator !== 'NotIn') errors.push(invalid(`${field}.operator`, operator ?? '', 'not a valid selector operator'));
  else if (values.length !== 1) {
    errors.push(required(`${field}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
  }
  if (key !== 'metadata.name') return [...errors, invalid(`${field}.key`, key, 'not a valid field selector key')];
  return [
    ...errors,
    ...each(`${field}.values`, values, (value, path) => nameIsDnsSubdomain(value, false).map((reason) => invalid(path, value, reason))),
  ];
}

function validatePodAffinity(affinity: PodAffinity | undefined, field: string): FieldError[] {
  return [
    ...each(`${field}.${REQUIRED}`, affinity?.[REQUIRED], validatePodTerm),
    ...each(`${field}.${PREFERRED}`, affinity?.[PREFERRED], ({ weight, podAffinityTerm }, path) => [
      ...validateWeight(weight, path),
      ...validatePodTerm(podAffinityTerm, `${path}.podAffinityTerm`),
    ]),
  ];
}

function validatePodTerm(term: Partial<PodAffinityTerm> = {}, field: string): FieldError[] {
  const { labelSelector, namespaceSelector, namespaces, matchLabelKeys, mismatchLabelKeys, topologyKey = '' } = term;
  const mismatches = new Set(mismatchLabelKeys ?? []);
  return [
    ...validateLabelSelector(labelSelector, `${field}.labelSelector`),
    ...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`),
    ...(namespaces ?? []).flatMap((name) => nameIsDnsLabel(name, false).map((reason) => invalid(`${field}.namespace`, name, reason))),
    ...validateLabelKeys(matchLabelKeys, labelSelector, `${field}.matchLabelKeys`),
    ...validateLabelKeys(mismatchLabelKeys, labelSelector, `${field}.mismatchLabelKeys`),
    ...each(`${field}.matchLabelKeys`, matchLabelKeys, (key, path) =>
      mismatches.has(key) ? [invalid(path, key, 'exists in both matchLabelKeys and mismatchLabelKeys')] : [],
    ),
    ...(topologyKey === '' ? [required(`${field}.topologyKey`, 'can not be empty')] : []),
    ...validateLabelName(topologyKey, `${field}.topologyKey`),
  ];
}

/** Keys whose values come from the pod's own labels. */
export function validateLabelKeys(keys: readonly string[] | undefined, selector: LabelSelector | undefined, field: string): FieldError[] {
  if ((keys ?? []).length === 0) return [];
  if (selector === undefined) return [forbidden(field, 'must not be specified when labelSelector is not set')];
  return each(field, keys, (key, path) => validateLabelName(key, path));
}
