import type { ResourceRequirements } from '@orrery/api/core/v1';
import {
  compareQuantity,
  duplicate,
  type FieldError,
  fieldPath,
  forbidden,
  invalid,
  isQualifiedName,
  notFound,
  quantityMilliValue,
  required,
} from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';
import { isExtended, isHugePages, isInteger, isNative, isStandard, isStandardForContainers, mayOvercommit } from './names.ts';

/** Source: validateResourceName. */
export function validateResourceName(name: string, field: string): FieldError[] {
  const errors = check(field, name, isQualifiedName);
  if (errors.length > 0 || name.includes('/') || isStandard(name)) return errors;
  return [invalid(field, name, 'must be a standard resource type or fully qualified')];
}

/** Source: validateContainerResourceName. */
export function validateContainerResourceName(name: string, field: string): FieldError[] {
  const errors = validateResourceName(name, field);
  if (!name.includes('/')) {
    if (!isStandardForContainers(name)) errors.push(invalid(field, name, 'must be a standard resource for containers'));
  } else if (!isNative(name) && !isExtended(name)) errors.push(invalid(field, name, "doesn't follow extended resource name standard"));
  return errors;
}

/** Not below zero, and whole where the resource is counted. Source: ValidateResourceQuantityValue. */
export function validateQuantity(name: string, value: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (compareQuantity(value, '0') < 0) errors.push(invalid(field, value, 'must be greater than or equal to 0'));
  if (isInteger(name) && quantityMilliValue(value) % 1000 !== 0) errors.push(invalid(field, value, 'must be an integer'));
  return errors;
}

/** Limits, requests and claims of a container. Source: ValidateContainerResourceRequirements. */
export function validateResourceRequirements(
  resources: ResourceRequirements | undefined,
  podClaims: ReadonlySet<string>,
  field: string,
): FieldError[] {
  const { limits = {}, requests = {} } = resources ?? {};
  const errors = [...validateAmounts(limits, `${field}.limits`), ...validateRequests(requests, limits, field)];
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.some((name) => name === 'cpu' || name === 'memory')) {
    errors.push(forbidden(field, 'HugePages require cpu or memory'));
  }
  return [...errors, ...validateClaims(resources, podClaims, `${field}.claims`)];
}

function validateAmounts(amounts: Readonly<Record<string, string>>, field: string): FieldError[] {
  return Object.entries(amounts).flatMap(([name, value]) => {
    const path = fieldPath(field, { key: name });
    return [...validateContainerResourceName(name, path), ...validateQuantity(name, value, path)];
  });
}

function validateRequests(
  requests: Readonly<Record<string, string>>,
  limits: Readonly<Record<string, string>>,
  field: string,
): FieldError[] {
  return Object.entries(requests).flatMap(([name, value]) => [
    ...validateAmounts({ [name]: value }, `${field}.requests`),
    ...validateAgainstLimit(name, value, limits[name], field),
  ]);
}

function validateAgainstLimit(name: string, value: string, limit: string | undefined, field: string): FieldError[] {
  if (limit === undefined) {
    return mayOvercommit(name) ? [] : [required(`${field}.limits`, 'Limit must be set for non overcommitable resources')];
  }
  const order = compareQuantity(value, limit);
  if (order !== 0 && !mayOvercommit(name)) return [invalid(`${field}.requests`, value, `must be equal to ${name} limit of ${limit}`)];
  return order > 0 ? [invalid(`${field}.requests`, value, `must be less than or equal to ${name} limit of ${limit}`)] : [];
}

function validateClaims(resources: ResourceRequirements | undefined, podClaims: ReadonlySet<string>, field: string): FieldError[] {
  const seen = new Set<string>();
  return each(field, resources?.claims, ({ name = '', request = '' }, path) => {
    if (name === '') return [required(`${path}.name`)];
    const id = request === '' ? name : `${name}/${request}`;
    if (seen.has(id)) return [duplicate(path, id)];
    seen.add(id);
    return podClaims.has(name) ? [] : [notFound(`${path}.name`, name)];
  });
}
