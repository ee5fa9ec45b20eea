import type { DeviceSelector, DeviceSubRequest, ExactDeviceRequest, ResourceClaimSpec } from '@orrery/api/resource/v1';
import {
  type Draft,
  type FieldError,
  invalid,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  notSupported,
  required,
  tooMany,
} from '@orrery/apimachinery';

import { check, each } from '../validate.ts';

const REQUESTS_MAX = 32;
const SELECTORS_MAX = 32;
const SUB_REQUESTS_MAX = 8;
const modes = ['All', 'ExactCount'];

type Wish = Pick<ExactDeviceRequest, 'allocationMode' | 'count'>;

function defaultWish(wish: Draft<Wish> | undefined): void {
  if (wish === undefined) return;
  wish.allocationMode ||= 'ExactCount';
  if (wish.allocationMode === 'ExactCount') wish.count ||= 1;
}

/** One device of the class where nothing else is asked for. Source: resource SetDefaults_ExactDeviceRequest. */
export function defaultRequests(spec: Draft<ResourceClaimSpec> | undefined): void {
  for (const { exactly, firstAvailable = [] } of spec?.devices?.requests ?? []) {
    defaultWish(exactly);
    for (const alternative of firstAvailable) defaultWish(alternative);
  }
}

/** Source: resource validateDeviceSelectors. */
export function validateSelectors(selectors: readonly DeviceSelector[] | undefined, field: string): FieldError[] {
  return [
    ...((selectors ?? []).length > SELECTORS_MAX ? [tooMany(field, selectors?.length ?? 0, SELECTORS_MAX)] : []),
    ...each(field, selectors, ({ cel }, path) => {
      if (cel === undefined) return [required(`${path}.cel`)];
      return (cel.expression ?? '') === '' ? [required(`${path}.cel.expression`)] : [];
    }),
  ];
}

function validateWish(wish: ExactDeviceRequest | DeviceSubRequest, field: string): FieldError[] {
  const { deviceClassName = '', allocationMode = '', count, selectors } = wish;
  const errors =
    deviceClassName === ''
      ? [required(`${field}.deviceClassName`)]
      : check(`${field}.deviceClassName`, deviceClassName, (name) => nameIsDnsSubdomain(name, false));
  errors.push(...validateSelectors(selectors, `${field}.selectors`));
  if (!modes.includes(allocationMode)) errors.push(notSupported(`${field}.allocationMode`, allocationMode, modes));
  else if (allocationMode === 'All' && (count ?? 0) !== 0) {
    errors.push(invalid(`${field}.count`, count, "must not be specified when allocationMode is 'All'"));
  } else if (allocationMode === 'ExactCount' && (count ?? 0) <= 0) {
    errors.push(invalid(`${field}.count`, count, 'must be greater than zero'));
  }
  return errors;
}

const validateName = (name: string | undefined, field: string): FieldError[] =>
  name === undefined || name === '' ? [required(field)] : check(field, name, (value) => nameIsDnsLabel(value, false));

/** Source: resource validateResourceClaimSpec. */
export function validateRequests({ devices }: ResourceClaimSpec, field: string): FieldError[] {
  const requests = devices?.requests ?? [];
  const path = `${field}.devices.requests`;
  const errors = requests.length > REQUESTS_MAX ? [tooMany(path, requests.length, REQUESTS_MAX)] : [];
  errors.push(
    ...each(path, requests, ({ name, exactly, firstAvailable = [] }, where) => {
      const found = validateName(name, `${where}.name`);
      if (exactly === undefined && firstAvailable.length === 0) {
        found.push(required(where, 'exactly one of `exactly` or `firstAvailable` is required'));
      }
      if (exactly !== undefined && firstAvailable.length > 0) {
        found.push(invalid(where, undefined, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set'));
      }
      if (exactly !== undefined) found.push(...validateWish(exactly, `${where}.exactly`));
      if (firstAvailable.length > SUB_REQUESTS_MAX) found.push(tooMany(`${where}.firstAvailable`, firstAvailable.length, SUB_REQUESTS_MAX));
      const alternatives = each(`${where}.firstAvailable`, firstAvailable, (wish, below) => [
        ...validateName(wish.name, `${below}.name`),
        ...validateWish(wish, below),
      ]);
      return [...found, ...alternatives];
    }),
  );
  return errors;
}
