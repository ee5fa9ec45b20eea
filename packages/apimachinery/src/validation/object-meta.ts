import type { FieldError } from '../field/field-error.ts';
import { fieldPath, forbidden, invalid, required, tooLong } from '../field/field-error.ts';
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../generated/meta-v1.ts';
import { validateLabels } from './labels-validation.ts';
import { longerThan } from './messages.ts';
import { isQualifiedName } from './names.ts';
import type { NameValidator } from './object-name.ts';
import { nameIsDnsLabel, nameIsDnsSubdomain } from './object-name.ts';

/** All keys and values of annotations together: 256 KiB. */
const annotationBytesMax = 256 * 1024;
const fieldManagerBytesMax = 128;
const subresourceBytesMax = 256;
const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';

export interface ObjectMetaRules {
  readonly namespaced: boolean;
  /** @default DNS subdomain */
  readonly validateName?: NameValidator | undefined;
  /** @default 'metadata' */
  readonly path?: string;
}

/** Metadata of a new object, whose name has been generated where it was to be. Source: ValidateObjectMeta. */
export function validateObjectMeta(meta: Partial<ObjectMeta>, rules: ObjectMetaRules): FieldError[] {
  const { namespaced, validateName = nameIsDnsSubdomain, path = 'metadata' } = rules;
  return [
    ...nameErrors(meta, validateName, path),
    ...namespaceErrors(meta.namespace ?? '', namespaced, fieldPath(path, 'namespace')),
    ...generationErrors(meta.generation ?? 0, fieldPath(path, 'generation')),
    ...validateLabels(meta.labels, fieldPath(path, 'labels')),
    ...validateAnnotations(meta.annotations, fieldPath(path, 'annotations')),
    ...ownerErrors(meta.ownerReferences ?? [], fieldPath(path, 'ownerReferences')),
    ...validateFinalizers(meta.finalizers ?? [], fieldPath(path, 'finalizers')),
    ...validateManagedFields(meta.managedFields ?? [], fieldPath(path, 'managedFields')),
  ];
}

function nameErrors(meta: Partial<ObjectMeta>, validateName: NameValidator, path: string): FieldError[] {
  const { name = '', generateName = '' } = meta;
  const errors: FieldError[] = [];
  if (generateName !== '') {
    for (const reason of validateName(generateName, true)) errors.push(invalid(fieldPath(path, 'generateName'), generateName, reason));
  }
  const namePath = fieldPath(path, 'name');
  if (name === '') errors.push(required(namePath, 'name or generateName is required'));
  else for (const reason of validateName(name, false)) errors.push(invalid(namePath, name, reason));
  return errors;
}

function namespaceErrors(namespace: string, namespaced: boolean, path: string): FieldError[] {
  if (!namespaced) return namespace === '' ? [] : [forbidden(path, 'not allowed on this type')];
  if (namespace === '') return [required(path)];
  return nameIsDnsLabel(namespace, false).map((reason) => invalid(path, namespace, reason));
}

const generationErrors = (generation: number, path: string): FieldError[] =>
  generation >= 0 ? [] : [invalid(path, generation, 'must be greater than or equal to 0')];

/** Keys may have capitals in their prefix, unlike labels. Source: ValidateAnnotations. */
export function validateAnnotations(annotations: { readonly [key: string]: string } | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const reason of isQualifiedName(key.toLowerCase())) errors.push(invalid(path, key, reason));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > annotationBytesMax) errors.push(tooLong(path, annotationBytesMax));
  return errors;
}

function ownerErrors(owners: readonly OwnerReference[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const owner of owners) {
    errors.push(...oneOwnerErrors(owner, path));
    if (owner.controller !== true) continue;
    const current = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = current;
    else {
      const found = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      errors.push(invalid(path, owners, found));
    }
  }
  return errors;
}

function oneOwnerErrors(owner: OwnerReference, path: string): FieldError[] {
  const { apiVersion = '', kind = '', name = '', uid = '' } = owner;
  const errors: FieldError[] = [];
  if (apiVersion === '' || apiVersion.endsWith('/'))
    errors.push(invalid(fieldPath(path, 'apiVersion'), apiVersion, 'version must not be empty'));
  if (kind === '') errors.push(invalid(fieldPath(path, 'kind'), kind, 'must not be empty'));
  if (name === '') errors.push(invalid(fieldPath(path, 'name'), name, 'must not be empty'));
  if (uid === '') errors.push(invalid(fieldPath(path, 'uid'), uid, 'must not be empty'));
  if (apiVersion === 'v1' && kind === 'Event') errors.push(invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner'));
  return errors;
}

/** Source: ValidateFinalizers. */
export function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((finalizer) => isQualifiedName(finalizer).map((reason) => invalid(path, finalizer, reason)));
  if (finalizers.includes(orphanFinalizer) && finalizers.includes(foregroundFinalizer)) {
    errors.push(invalid(path, finalizers, `finalizer ${orphanFinalizer} and ${foregroundFinalizer} cannot be both set`));
  }
  return errors;
}

/** Source: v1validation.ValidateManagedFields. */
export function validateManagedFields(entries: readonly ManagedFieldsEntry[], path: string): FieldError[] {
  return entries.flatMap((entry, index) => {
    const at = fieldPath(path, index);
    const { operation = '', fieldsType = '', manager = '', subresource = '' } = entry;
    const errors: FieldError[] = [];
    if (operation !== 'Apply' && operation !== 'Update') {
      errors.push(invalid(fieldPath(at, 'operation'), operation, 'must be `Apply` or `Update`'));
    }
    if (fieldsType !== '' && fieldsType !== 'FieldsV1') {
      errors.push(invalid(fieldPath(at, 'fieldsType'), fieldsType, 'must be `FieldsV1`'));
    }
    errors.push(...validateFieldManager(manager, fieldPath(at, 'manager')));
    if (longerThan(subresource, subresourceBytesMax)) errors.push(tooLong(fieldPath(at, 'subresource'), subresourceBytesMax));
    return errors;
  });
}

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** At most 128 bytes of printable characters. Source: ValidateFieldManager. */
export function validateFieldManager(manager: string, path: string): FieldError[] {
  const errors = longerThan(manager, fieldManagerBytesMax) ? [tooLong(path, fieldManagerBytesMax)] : [];
  let byte = 0;
  for (const char of manager) {
    if (!printable.test(char)) {
      const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(invalid(path, manager, `invalid character U+${code} (at position ${byte})`));
    }
    byte += Buffer.byteLength(char);
  }
  return errors;
}

/** Metadata of a changed object against the stored one. Source: ValidateObjectMetaUpdate. */
export function validateObjectMetaUpdate(next: Partial<ObjectMeta>, old: Partial<ObjectMeta>, path = 'metadata'): FieldError[] {
  const { resourceVersion = '', generation = 0 } = next;
  const errors: FieldError[] = [];
  if (present(old.deletionTimestamp)) errors.push(...newFinalizerErrors(next.finalizers ?? [], old.finalizers ?? [], path));
  if (resourceVersion === '') errors.push(invalid(fieldPath(path, 'resourceVersion'), resourceVersion, 'must be specified for an update'));
  if (generation < (old.generation ?? 0)) errors.push(invalid(fieldPath(path, 'generation'), generation, 'must not be decremented'));
  return [
    ...errors,
    ...immutableFields.flatMap((field) => validateImmutable(next[field], old[field], fieldPath(path, field))),
    ...validateLabels(next.labels, fieldPath(path, 'labels')),
    ...validateAnnotations(next.annotations, fieldPath(path, 'annotations')),
    ...ownerErrors(next.ownerReferences ?? [], fieldPath(path, 'ownerReferences')),
    ...validateManagedFields(next.managedFields ?? [], fieldPath(path, 'managedFields')),
  ];
}

const immutableFields = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

const present = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** Absent, null and empty are one value. */
function validateImmutable(next: string | number | undefined, old: string | number | undefined, path: string): FieldError[] {
  if (next === old || (!present(next) && !present(old))) return [];
  return [invalid(path, next, 'field is immutable')];
}

function newFinalizerErrors(next: readonly string[], old: readonly string[], path: string): FieldError[] {
  const added = [...new Set(next)].filter((finalizer) => !old.includes(finalizer)).sort();
  if (added.length === 0) return [];
  const shown = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`;
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`;
  return [forbidden(fieldPath(path, 'finalizers'), detail)];
}
