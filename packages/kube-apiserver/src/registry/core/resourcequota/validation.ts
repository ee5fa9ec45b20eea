import type { ResourceQuota } from '@orrery/api/core/v1';
import { type FieldError, fieldPath, invalid, isQualifiedName, notSupported, required } from '@orrery/apimachinery';
import { check, each, immutable } from '../../validate.ts';
import { isExtended, isHugePages, isStandard } from '../resources/names.ts';
import { validateQuantity } from '../resources/validation.ts';

type Amounts = Readonly<Record<string, string>>;
const scopes = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
const existsOnly = new Set(['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'CrossNamespacePodAffinity']);
const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** Names that a quota can count: standard ones, requests of extended ones, and `count/<resource>.<group>`. */
function validateName(name: string, field: string): FieldError[] {
  const errors = check(field, name, isQualifiedName);
  if (errors.length > 0) return errors;
  if (name.includes('/') || isStandard(name)) return [];
  return [
    invalid(field, name, 'must be a standard resource type or fully qualified'),
    invalid(field, name, 'must be a standard resource for quota'),
  ];
}

function validateAmounts(amounts: Amounts | undefined, field: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, value]) => {
    const path = fieldPath(field, { key: name });
    return [...validateName(name, path), ...validateQuantity(name, value, path)];
  });
}

/** Source: ValidateResourceQuota. */
export function validateResourceQuota({ spec, status }: ResourceQuota): FieldError[] {
  return [
    ...validateAmounts(spec?.hard, 'spec.hard'),
    ...validateScopes(spec?.scopes, spec?.hard ?? {}),
    ...validateScopeSelector(spec),
    ...validateAmounts(status?.hard, 'status.hard'),
    ...validateAmounts(status?.used, 'status.used'),
  ];
}

const conflicts: readonly (readonly [string, string])[] = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
];
const computes = (name: string): boolean =>
  name === 'pods' ||
  isHugePages(name.replace(/^requests\./, '')) ||
  /^(requests\.|limits\.)?(cpu|memory|ephemeral-storage)$/.test(name) ||
  isExtended(name);

/** Which amounts a scope can bound: best-effort pods ask for nothing, so they are only counted. */
function boundBy(scope: string, name: string): boolean {
  if (scope === 'BestEffort') return name === 'pods' || name === 'count/pods';
  if (scope === 'VolumeAttributesClass')
    return name === 'persistentvolumeclaims' || name === 'requests.storage' || name === 'count/persistentvolumeclaims';
  return computes(name) || name === 'count/pods' || !isStandard(name);
}

function validateScopes(list: readonly string[] | undefined, hard: Amounts): FieldError[] {
  const errors: FieldError[] = [];
  for (const scope of list ?? []) {
    if (!scopes.includes(scope)) errors.push(invalid('spec.scopes', list, 'unsupported scope'));
    else if (!Object.keys(hard).every((name) => boundBy(scope, name))) {
      errors.push(invalid('spec.scopes', list, 'unsupported scope applied to resource'));
    }
  }
  if (conflicts.some(([a, b]) => list?.includes(a) && list.includes(b))) errors.push(invalid('spec.scopes', list, 'conflicting scopes'));
  return errors;
}

function validateScopeSelector(spec: ResourceQuota['spec'] | undefined): FieldError[] {
  const field = 'spec.scopeSelector.matchExpressions';
  return each(field, spec?.scopeSelector?.matchExpressions, ({ scopeName = '', operator = '', values = [] }) => {
    const errors: FieldError[] = [];
    if (!scopes.includes(scopeName)) errors.push(invalid(`${field}.scopeName`, scopeName, 'unsupported scope'));
    else if (!Object.keys(spec?.hard ?? {}).every((name) => boundBy(scopeName, name))) {
      errors.push(invalid(field, spec?.scopeSelector, 'unsupported scope applied to resource'));
    }
    if (existsOnly.has(scopeName) && operator !== 'Exists') {
      errors.push(
        invalid(
          `${field}.operator`,
          operator,
          "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort and ResourceQuotaScopeNotBestEffort",
        ),
      );
    }
    if (!operators.includes(operator)) errors.push(notSupported(`${field}.operator`, operator, operators));
    else if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
      errors.push(required(`${field}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
    } else if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
      errors.push(invalid(`${field}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
    }
    return errors;
  });
}

/** What a quota is about does not change. */
export function validateResourceQuotaUpdate({ spec }: ResourceQuota, old: ResourceQuota): FieldError[] {
  return [...immutable('spec.scopes', [...(spec?.scopes ?? [])].sort(), [...(old.spec?.scopes ?? [])].sort())];
}

export function validateResourceQuotaStatus({ status }: ResourceQuota): FieldError[] {
  return [...validateAmounts(status?.hard, 'status.hard'), ...validateAmounts(status?.used, 'status.used')];
}
