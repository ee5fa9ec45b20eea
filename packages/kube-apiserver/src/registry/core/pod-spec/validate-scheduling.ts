import type { PodSchedulingGate, Toleration, TopologySpreadConstraint } from '@orrery/api/core/v1';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  isQualifiedName,
  isValidLabelValue,
  notSupported,
  required,
  validateLabelName,
  validateLabelSelector,
} from '@orrery/apimachinery';
import { semanticEqual } from '../../semantic-equal.ts';
import { check, each } from '../../validate.ts';
import { validateLabelKeys } from './validate-affinity.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const inclusionPolicies = ['Honor', 'Ignore'];

/** Source: ValidateTolerations. */
export function validateTolerations(tolerations: readonly Toleration[] | undefined, field: string): FieldError[] {
  return each(field, tolerations, (toleration, path) => {
    const { key = '', operator = '', effect = '', tolerationSeconds } = toleration;
    const errors = key === '' ? [] : validateLabelName(key, `${path}.key`);
    if (key === '' && operator !== 'Exists') {
      const reason = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalid(`${path}.operator`, operator, reason));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      errors.push(invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    errors.push(...validateTolerationValue(toleration, `${path}.operator`));
    if (effect !== '' && !effects.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, effects));
    return errors;
  });
}

function validateTolerationValue({ operator = '', value = '' }: Toleration, field: string): FieldError[] {
  if (operator === '' || operator === 'Equal') {
    const reasons = isValidLabelValue(value);
    return reasons.length === 0 ? [] : [invalid(field, value, reasons.join(';'))];
  }
  if (operator === 'Exists') return value === '' ? [] : [invalid(field, value, "value must be empty when `operator` is 'Exists'")];
  return [notSupported(field, operator, ['Equal', 'Exists'])];
}

/** A running pod may gain tolerations, and change how long one lasts. Source: validateOnlyAddedTolerations. */
export function validateOnlyAddedTolerations(
  next: readonly Toleration[] = [],
  old: readonly Toleration[] = [],
  field: string,
): FieldError[] {
  const kept = (toleration: Toleration): boolean =>
    next.some((candidate) =>
      semanticEqual({ ...candidate, tolerationSeconds: undefined }, { ...toleration, tolerationSeconds: undefined }),
    );
  if (!old.every(kept)) return [forbidden(field, 'existing toleration can not be modified except its tolerationSeconds')];
  return validateTolerations(next, field);
}

/** Source: validateSchedulingGates. */
export function validateSchedulingGates(gates: readonly PodSchedulingGate[] | undefined, field: string): FieldError[] {
  const seen = new Set<string>();
  return each(field, gates, ({ name = '' }, path) => {
    const errors = check(path, name, isQualifiedName);
    if (seen.has(name)) errors.push(duplicate(path, name));
    seen.add(name);
    return errors;
  });
}

/** Source: validateOnlyDeletedSchedulingGates. */
export function validateOnlyDeletedGates(
  next: readonly PodSchedulingGate[] = [],
  old: readonly PodSchedulingGate[] = [],
  field: string,
): FieldError[] {
  const known = new Set(old.map(({ name }) => name));
  return each(field, next, ({ name }, path) =>
    known.has(name) ? [] : [forbidden(`${path}.name`, `only deletion is allowed, but found new scheduling gate '${name}'`)],
  );
}

/** Source: validateTopologySpreadConstraints. */
export function validateTopologySpread(constraints: readonly TopologySpreadConstraint[] | undefined, field: string): FieldError[] {
  return each(field, constraints, (constraint, path, index) => {
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains, labelSelector, matchLabelKeys } = constraint;
    const errors = maxSkew <= 0 ? [invalid(`${path}.maxSkew`, maxSkew, 'must be greater than zero')] : [];
    if (topologyKey === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'));
    else errors.push(...validateLabelName(topologyKey, `${path}.topologyKey`));
    if (whenUnsatisfiable !== 'DoNotSchedule' && whenUnsatisfiable !== 'ScheduleAnyway') {
      errors.push(notSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']));
    }
    const repeated = (constraints ?? [])
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (repeated) errors.push(duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    errors.push(...validateMinDomains(minDomains, whenUnsatisfiable, `${path}.minDomains`));
    errors.push(...validatePolicy(constraint.nodeAffinityPolicy, `${path}.nodeAffinityPolicy`));
    errors.push(...validatePolicy(constraint.nodeTaintsPolicy, `${path}.nodeTaintsPolicy`));
    errors.push(...validateLabelKeys(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`));
    errors.push(
      ...each(`${path}.matchLabelKeys`, matchLabelKeys, (key, keyPath) =>
        labelSelector?.matchLabels?.[key] === undefined ? [] : [invalid(keyPath, key, 'exists in both matchLabelKeys and labelSelector')],
      ),
    );
    return [...errors, ...validateLabelSelector(labelSelector, `${path}.labelSelector`)];
  });
}

function validateMinDomains(minDomains: number | undefined, action: string, field: string): FieldError[] {
  if (minDomains === undefined) return [];
  const errors = minDomains <= 0 ? [invalid(field, minDomains, 'must be greater than zero')] : [];
  if (action !== 'DoNotSchedule') {
    errors.push(invalid(field, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`));
  }
  return errors;
}

const validatePolicy = (policy: string | undefined, field: string): FieldError[] =>
  policy === undefined || inclusionPolicies.includes(policy) ? [] : [notSupported(field, policy, inclusionPolicies)];
