import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '@orrery/api/core/v1';
import {
  compareQuantity,
  type FieldError,
  forbidden,
  invalid,
  nameIsDnsSubdomain,
  required,
  validateLabelSelector,
} from '@orrery/apimachinery';
import { semanticEqual } from '../../semantic-equal.ts';
import { check, immutable } from '../../validate.ts';
import { validateQuantity } from '../resources/validation.ts';
import { validateAccessModes, validateVolumeMode } from '../volume-access.ts';

const className = (field: string, name: string | undefined): FieldError[] =>
  name === undefined || name === '' ? [] : check(field, name, (value) => nameIsDnsSubdomain(value, false));

function validateSize(value: string | undefined, field: string): FieldError[] {
  if (value === undefined) return [required(field)];
  const errors = validateQuantity('storage', value, field);
  if (errors.length > 0) return errors;
  return compareQuantity(value, '0') > 0 ? [] : [invalid(field, value, 'must be greater than zero')];
}

/** Source: ValidatePersistentVolumeClaimSpec. @param path - Also of templates: `spec`. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  return [
    ...validateAccessModes(spec.accessModes, `${path}.accessModes`, 'at least 1 access mode is required'),
    ...(spec.selector === undefined ? [] : validateLabelSelector(spec.selector, `${path}.selector`)),
    ...validateSize(spec.resources?.requests?.['storage'], `${path}.resources[storage]`),
    ...className(`${path}.storageClassName`, spec.storageClassName),
    ...validateVolumeMode(spec.volumeMode, `${path}.volumeMode`),
    ...validateDataSource(spec, path),
    ...className(`${path}.volumeAttributesClassName`, spec.volumeAttributesClassName),
  ];
}

function validateDataSource({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const of = (
    source: { readonly apiGroup?: string; readonly kind?: string; readonly name?: string } | undefined,
    field: string,
  ): FieldError[] => {
    if (source === undefined) return [];
    const errors: FieldError[] = [];
    if ((source.name ?? '') === '') errors.push(required(`${field}.name`));
    if ((source.kind ?? '') === '') errors.push(required(`${field}.kind`));
    if ((source.apiGroup ?? '') === '' && source.kind !== 'PersistentVolumeClaim') {
      errors.push(invalid(field, source.kind ?? '', 'must be PersistentVolumeClaim when referencing the default apiGroup'));
    }
    return errors;
  };
  const errors = [...of(dataSource, `${path}.dataSource`), ...of(dataSourceRef, `${path}.dataSourceRef`)];
  if (
    dataSource !== undefined &&
    dataSourceRef !== undefined &&
    dataSourceRef.namespace === undefined &&
    !semanticEqual(dataSource, dataSourceRef)
  ) {
    errors.push(invalid(path, `${path}.dataSource`, 'must match dataSourceRef'));
  }
  return errors;
}

export const validateClaim = ({ spec = {} }: PersistentVolumeClaim): FieldError[] => validateClaimSpec(spec, 'spec');

/** What of a spec may not change: all but the volume while there is none, the class while nobody chose, and the size of what is bound. */
function settled(spec: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  const volumeName = (old.volumeName ?? '') === '' ? spec.volumeName : old.volumeName;
  const storageClassName =
    old.storageClassName === undefined && (old.volumeName ?? '') === '' ? spec.storageClassName : old.storageClassName;
  return {
    ...old,
    volumeName,
    storageClassName,
    resources: spec.resources,
    volumeAttributesClassName: spec.volumeAttributesClassName,
  } as PersistentVolumeClaimSpec;
}

/** Source: ValidatePersistentVolumeClaimUpdate. */
export function validateClaimUpdate({ spec = {} }: PersistentVolumeClaim, { spec: old = {}, status }: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  const bound = status?.phase === 'Bound';
  const sizeChanged = !semanticEqual(spec.resources, old.resources);
  const allowed = semanticEqual(spec, settled(spec, old)) && (bound || !sizeChanged);
  if (!allowed) {
    errors.push(
      forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'),
    );
  } else if (sizeChanged) errors.push(...validateResize(spec, old, status?.capacity?.['storage']));
  return [...errors, ...immutable('spec.volumeMode', spec.volumeMode, old.volumeMode)];
}

/** A claim never gets less than it has. */
function validateResize(spec: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec, capacity: string | undefined): FieldError[] {
  const [before, after] = [old.resources?.requests?.['storage'], spec.resources?.requests?.['storage']];
  if (before === undefined || after === undefined || compareQuantity(after, before) >= 0) return [];
  const errors: FieldError[] = [];
  if (capacity !== undefined && compareQuantity(after, capacity) <= 0) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  return errors;
}

/** Source: ValidatePersistentVolumeClaimStatusUpdate. */
export function validateClaimStatusUpdate({ spec = {}, status }: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = Object.entries(status?.capacity ?? {}).flatMap(([name, value]) =>
    validateQuantity(name, value, `status.capacity[${name}]`),
  );
  if ((spec.accessModes ?? []).length === 0 && old.spec !== undefined) errors.push(required('spec.accessModes'));
  return errors;
}
