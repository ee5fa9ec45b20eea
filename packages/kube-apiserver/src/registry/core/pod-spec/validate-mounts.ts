import type { Container, VolumeMount } from '@orrery/api/core/v1';
import { type FieldError, forbidden, invalid, notFound, notSupported, required } from '@orrery/apimachinery';
import { each } from '../../validate.ts';
import { validateDescendingPath, validateNoBacksteps } from './paths.ts';
import type { PodRules } from './rules.ts';

const propagations = ['Bidirectional', 'HostToContainer', 'None'];
type Mounting = Pick<Container, 'volumeMounts' | 'volumeDevices' | 'securityContext'>;

/** Source: ValidateVolumeMounts. Paths of the list itself (`volumeMounts.subPath`) are upstream's. */
export function validateMounts(container: Mounting, { volumes }: PodRules, field: string): FieldError[] {
  const list = `${field}.volumeMounts`;
  const seen = new Set<string>();
  const devices = container.volumeDevices ?? [];
  return each(list, container.volumeMounts, (mount, path) => {
    const { name = '', mountPath = '', subPath = '', subPathExpr = '' } = mount;
    const errors: FieldError[] = [];
    if (name === '') errors.push(required(`${path}.name`));
    if (!volumes.has(name)) errors.push(notFound(`${path}.name`, name));
    if (mountPath === '') errors.push(required(`${path}.mountPath`));
    if (seen.has(mountPath)) errors.push(invalid(`${path}.mountPath`, mountPath, 'must be unique'));
    seen.add(mountPath);
    if (devices.some((device) => device.name === name))
      errors.push(invalid(`${path}.name`, name, 'must not already exist in volumeDevices'));
    if (devices.some((device) => device.devicePath === mountPath)) {
      errors.push(invalid(`${path}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    }
    if (subPath !== '') errors.push(...validateDescendingPath(subPath, `${list}.subPath`));
    if (subPathExpr !== '') {
      if (subPath !== '') errors.push(invalid(`${path}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      errors.push(...validateDescendingPath(subPathExpr, `${list}.subPathExpr`));
    }
    return [
      ...errors,
      ...validatePropagation(mount, container, `${list}.mountPropagation`),
      ...validateRecursiveReadOnly(mount, `${list}.recursiveReadOnly`),
    ];
  });
}

function validatePropagation({ mountPropagation: mode }: VolumeMount, { securityContext }: Mounting, field: string): FieldError[] {
  if (mode === undefined) return [];
  if (!propagations.includes(mode)) return [notSupported(field, mode, propagations)];
  if (mode === 'Bidirectional' && securityContext?.privileged !== true) {
    return [forbidden(field, 'Bidirectional mount propagation is available only to privileged containers')];
  }
  return [];
}

function validateRecursiveReadOnly({ recursiveReadOnly: mode, readOnly, mountPropagation }: VolumeMount, field: string): FieldError[] {
  if (mode === undefined || mode === 'Disabled') return [];
  if (mode !== 'Enabled' && mode !== 'IfPossible') return [notSupported(field, mode, ['Disabled', 'Enabled', 'IfPossible'])];
  const errors: FieldError[] = [];
  if (readOnly !== true) errors.push(forbidden(field, 'may only be specified when readOnly is true'));
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    errors.push(forbidden(field, 'may only be specified when mountPropagation is None or not specified'));
  }
  return errors;
}

/** Source: ValidateVolumeDevices. */
export function validateDevices(container: Mounting, { volumes }: PodRules, field: string): FieldError[] {
  const list = `${field}.volumeDevices`;
  const mounts = container.volumeMounts ?? [];
  const paths = new Set<string>();
  const names = new Set<string>();
  return each(list, container.volumeDevices, ({ name = '', devicePath = '' }, path) => {
    const errors: FieldError[] = [];
    const volume = volumes.get(name);
    if (name === '') errors.push(required(`${path}.name`));
    if (names.has(name)) errors.push(invalid(`${path}.name`, name, 'must be unique'));
    if (volume === undefined) errors.push(notFound(`${path}.name`, name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      errors.push(invalid(`${path}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'));
    }
    if (devicePath === '') errors.push(required(`${path}.devicePath`));
    if (paths.has(devicePath)) errors.push(invalid(`${path}.devicePath`, devicePath, 'must be unique'));
    if (validateNoBacksteps(devicePath, '').length > 0)
      errors.push(invalid(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) errors.push(invalid(`${path}.name`, name, 'must not already exist in volumeMounts'));
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      errors.push(invalid(`${path}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    }
    if (name !== '') names.add(name);
    return errors;
  });
}
