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
import { mayOvercommit } from '../resources/names.ts';
import { validateContainerResourceName, validateResourceName } from '../resources/validation.ts';

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
    for (const name of Object.keys(item[key] ?? {})) {
      names.add(name);
      const path = fieldPath(`${field}.${key}`, { key: name });
      errors.push(
        ...(item.type === 'Container' || item.type === 'Pod'
          ? validateContainerResourceName(name, path)
          : validateResourceName(name, path)),
      );
    }
  }
  for (const name of names) errors.push(...validateOrder(item, name, field));
  return errors;
}

/** min ≤ defaultRequest ≤ default ≤ max, and a ratio that they allow. Which value an error shows is upstream's choice. */
function validateOrder(item: LimitRangeItem, name: string, field: string): FieldError[] {
  const { min, max, default: limit, defaultRequest: request } = Object.fromEntries(amounts.map((key) => [key, item[key]?.[name]]));
  const errors: FieldError[] = [];
  const refuse = (key: (typeof amounts)[number], shown: string, reason: string): void => {
    errors.push(invalid(fieldPath(`${field}.${key}`, { key: name }), shown, reason));
  };
  const above = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && compareQuantity(a, b) > 0;
  if (above(min, max)) refuse('min', min ?? '', `min value ${min} is greater than max value ${max}`);
  if (above(min, request)) refuse('defaultRequest', request ?? '', `min value ${min} is greater than default request value ${request}`);
  if (above(request, max)) refuse('defaultRequest', request ?? '', `default request value ${request} is greater than max value ${max}`);
  if (above(request, limit))
    refuse('defaultRequest', request ?? '', `default request value ${request} is greater than default limit value ${limit}`);
  if (above(min, limit)) refuse('default', min ?? '', `min value ${min} is greater than default value ${limit}`);
  if (above(limit, max)) refuse('default', max ?? '', `default value ${limit} is greater than max value ${max}`);
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
