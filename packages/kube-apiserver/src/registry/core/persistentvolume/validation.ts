import type { PersistentVolume, PersistentVolumeSpec } from '@orrery/api/core/v1';
import {
  compareQuantity,
  type FieldError,
  fieldPath,
  forbidden,
  invalid,
  nameIsDnsSubdomain,
  notSupported,
  required,
} from '@orrery/apimachinery';
import { semanticEqual } from '../../semantic-equal.ts';
import { check, immutable } from '../../validate.ts';
import { validateNoBacksteps } from '../pod-spec/paths.ts';
import { validateNodeSelector } from '../pod-spec/validate-affinity.ts';
import { validateQuantity } from '../resources/validation.ts';
import { validateAccessModes, validateVolumeMode } from '../volume-access.ts';

type SourceName = (typeof sourceNames)[number];

const sourceNames = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const;
const policies = ['Delete', 'Recycle', 'Retain'];
const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

function validateCapacity(capacity: Readonly<Record<string, string>> | undefined): FieldError[] {
  if (Object.keys(capacity ?? {}).length === 0) return [required('spec.capacity')];
  const only = Object.keys(capacity ?? {}).every((name) => name === 'storage');
  return [
    ...(only ? [] : [notSupported('spec.capacity', Object.keys(capacity ?? {}).join(','), ['storage'])]),
    ...Object.entries(capacity ?? {}).flatMap(([name, value]) => {
      const field = fieldPath('spec', 'capacity', { key: name });
      const errors = validateQuantity(name, value, field);
      if (errors.length > 0) return errors;
      return compareQuantity(value, '0') > 0 ? [] : [invalid(field, value, 'must be greater than zero')];
    }),
  ];
}

const rules: { readonly [K in SourceName]?: (spec: PersistentVolumeSpec) => FieldError[] } = {
  hostPath: ({ hostPath: { path = '', type = '' } = { path: '' } }) => [
    ...(path === '' ? [required('spec.hostPath.path')] : validateNoBacksteps(path, 'spec.hostPath.path')),
    ...(hostPathTypes.includes(type) ? [] : [notSupported('spec.hostPath.type', type, hostPathTypes)]),
  ],
  local: ({ local: { path = '' } = { path: '' }, nodeAffinity }) => [
    ...(path === '' ? [required('spec.local.path')] : validateNoBacksteps(path, 'spec.local.path')),
    ...(nodeAffinity?.required === undefined ? [required('metadata.annotations', 'Local volume requires node affinity')] : []),
  ],
  nfs: ({ nfs: { server = '', path = '' } = { server: '', path: '' } }) => [
    ...(server === '' ? [required('spec.nfs.server')] : []),
    ...(path === '' ? [required('spec.nfs.path')] : []),
    ...(path.startsWith('/') ? [] : [invalid('spec.nfs.path', path, 'must be an absolute path')]),
  ],
  csi: ({ csi: { driver = '', volumeHandle = '' } = { driver: '', volumeHandle: '' } }) => [
    ...(driver === ''
      ? [required('spec.csi.driver')]
      : check('spec.csi.driver', driver.toLowerCase(), (name) => nameIsDnsSubdomain(name, false))),
    ...(volumeHandle === '' ? [required('spec.csi.volumeHandle')] : []),
  ],
};

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const [first, ...others] = sourceNames.filter((name) => spec[name] !== undefined && spec[name] !== null);
  if (first === undefined) return [required('spec', 'must specify a volume type')];
  return [...(rules[first]?.(spec) ?? []), ...others.map((name) => forbidden(`spec.${name}`, 'may not specify more than 1 volume type'))];
}

/** Source: ValidatePersistentVolume. */
export function validatePersistentVolume({ spec = {} }: PersistentVolume): FieldError[] {
  const { accessModes, capacity, persistentVolumeReclaimPolicy: policy = 'Retain', storageClassName = '', volumeMode, nodeAffinity } = spec;
  const errors = [
    ...validateAccessModes(accessModes, 'spec.accessModes', ''),
    ...validateCapacity(capacity),
    ...(policies.includes(policy) ? [] : [notSupported('spec.persistentVolumeReclaimPolicy', policy, policies)]),
    ...(nodeAffinity?.required === undefined ? [] : validateNodeSelector(nodeAffinity.required, 'spec.nodeAffinity.required')),
    ...(nodeAffinity !== undefined && nodeAffinity.required === undefined
      ? [required('spec.nodeAffinity.required', 'must specify required node constraints')]
      : []),
    ...validateSource(spec),
  ];
  if (spec.hostPath?.path === '/' && policy === 'Recycle') {
    errors.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  }
  if (storageClassName !== '') {
    errors.push(...check('spec.storageClassName', storageClassName, (name) => nameIsDnsSubdomain(name, false)));
  }
  return [...errors, ...validateVolumeMode(volumeMode, 'spec.volumeMode')];
}

/** Where the data is does not change, nor from where it can be reached. Source: ValidatePersistentVolumeUpdate. */
export function validatePersistentVolumeUpdate({ spec = {} }: PersistentVolume, { spec: old = {} }: PersistentVolume): FieldError[] {
  const moved = sourceNames.some((name) => !semanticEqual(spec[name], old[name]));
  return [
    ...(moved ? [forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation')] : []),
    ...immutable('spec.volumeMode', spec.volumeMode, old.volumeMode),
    ...(old.nodeAffinity === undefined || semanticEqual(spec.nodeAffinity, old.nodeAffinity)
      ? []
      : [invalid('spec.nodeAffinity', spec.nodeAffinity, 'field is immutable, except for updating from beta label to GA')]),
  ];
}
