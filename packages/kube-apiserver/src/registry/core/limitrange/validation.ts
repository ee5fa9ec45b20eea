import type { LimitRange, LimitRangeItem } from '@orrery/api/core/v1';
import {
  compareQuantity,
  duplicate,
  type FieldError,
  fieldPath,
  forbidden,
  invalid,
  isQualifiedName,
  parseQuantity,
  required,
} from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';
import { isStandard, mayOvercommit } from '../resources/names.ts';
import { validateContainerResourceName, validateQuantity, validateResourceName } from '../resources/validation.ts';

const amounts = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
const standardTypes = new Set(['Container', 'Pod', 'PersistentVolumeClaim']);

/** Source: ValidateLimitRange. */
export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const types = new Set<string>();
  return each('spec.limits', spec?.limits, (item, field) => {
    const type = item.type ?? '';
    const errors = validateType(type, `${field}.type`);
    if (types.has(type)) errors.push(duplicate(`${field}.type`, type));
    types.add(type);
    return [...errors, ...validateItem(item, field)];
  });
}

function validateType(type: string, field: string): FieldError[] {
  const errors = check(field, type, isQualifiedName);
  if (errors.length > 0 || type.includes('/') || standardTypes.has(type)) return errors;
  return [invalid(field, type, 'must be a standard limit type or fully qualified')];
}

function validateItem(item: LimitRangeItem, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (item.type === 'Pod') {
    if (Object.keys(item.default ?? {}).length > 0) {
      errors.push(forbidden(`${field}.default`, "may not be specified when `type` is 'Pod'"));
    }
    if (Object.keys(item.defaultRequest ?? {}).length > 0) {
      errors.push(forbidden(`${field}.defaultRequest`, "may not be specified when `type` is 'Pod'"));
    }
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.['storage'] === undefined && item.max?.['storage'] === undefined) {
    errors.push(required(`${field}.limits`, 'either minimum or maximum storage value is required, but neither was provided'));
  }
  const names = new Set<string>();
  for (const key of amounts) {
    for (const [name, value] of Object.entries(item[key] ?? {})) {
      names.add(name);
      const path = fieldPath(`${field}.${key}`, { key: name });
      errors.push(...(item.type === 'Container' ? validateContainerResourceName(name, path) : validateResourceName(name, path)));
      if (key !== 'maxLimitRequestRatio' && isStandard(name)) errors.push(...validateQuantity(name, value, path));
    }
  }
  for (const name of names) errors.push(...validateOrder(item, name, field));
  return errors;
}

/** min ≤ defaultRequest ≤ default ≤ max, and a ratio that they allow. */
function validateOrder(item: LimitRangeItem, name: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const get = (key: (typeof amounts)[number]): string | undefined => item[key]?.[name];
  const ordered = (
    low: 'min' | 'defaultRequest' | 'default',
    high: 'defaultRequest' | 'default' | 'max',
    at: 'low' | 'high',
    text: (a: string, b: string) => string,
  ): void => {
    const a = get(low);
    const b = get(high);
    if (a === undefined || b === undefined || compareQuantity(a, b) <= 0) return;
    const path = fieldPath(`${field}.${at === 'low' ? low : high}`, { key: name });
    errors.push(invalid(path, at === 'low' ? a : b, text(a, b)));
  };
  ordered('min', 'max', 'low', (a, b) => `min value ${a} is greater than max value ${b}`);
  ordered('min', 'defaultRequest', 'high', (a, b) => `min value ${a} is greater than default request value ${b}`);
  ordered('defaultRequest', 'max', 'low', (a, b) => `default request value ${a} is greater than max value ${b}`);
  ordered('defaultRequest', 'default', 'low', (a, b) => `default request value ${a} is greater than default limit value ${b}`);
  ordered('min', 'default', 'low', (a, b) => `min value ${a} is greater than default value ${b}`);
  ordered('default', 'max', 'low', (a, b) => `default value ${a} is greater than max value ${b}`);
  return [...errors, ...validateRatio(item, name, field)];
}

function validateRatio(item: LimitRangeItem, name: string, field: string): FieldError[] {
  const ratio = item.maxLimitRequestRatio?.[name];
  const path = fieldPath(`${field}.maxLimitRequestRatio`, { key: name });
  const errors: FieldError[] = [];
  if (ratio !== undefined && compareQuantity(ratio, '1') < 0) errors.push(invalid(path, ratio, `ratio ${ratio} is less than 1`));
  const min = item.min?.[name];
  const max = item.max?.[name];
  if (ratio !== undefined && min !== undefined && max !== undefined && compareQuantity(min, '0') > 0) {
    const limit = Number(parseQuantity(max).nano) / Number(parseQuantity(min).nano);
    if (parseQuantity(ratio).value > limit)
      errors.push(invalid(path, ratio, `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`));
  }
  const limit = item.default?.[name];
  const request = item.defaultRequest?.[name];
  if (!mayOvercommit(name) && limit !== undefined && request !== undefined && compareQuantity(limit, request) !== 0) {
    const reason = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    errors.push(invalid(fieldPath(`${field}.defaultRequest`, { key: name }), request, reason));
  }
  return errors;
}
