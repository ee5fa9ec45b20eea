import type { DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume, VolumeProjection } from '@orrery/api/core/v1';
import { compareQuantity, type FieldError, forbidden, invalid, nameIsDnsSubdomain, notSupported, required } from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';
import { validateMode, validateNoBacksteps, validateVolumePath } from './paths.ts';
import { validateFieldRef, validateResourceFieldRef } from './validate-downward.ts';

type SourceName = Exclude<keyof Volume, 'name'>;
type Rule<K extends SourceName> = (source: NonNullable<Volume[K]>, field: string) => FieldError[];

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];
const downwardFields = new Set(['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']);
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

/** Fields of a source that have to be there and not be empty. */
const needs =
  <T extends object>(...names: readonly (keyof T & string)[]) =>
  (source: T, field: string): FieldError[] =>
    names.filter((name) => isEmpty(source[name])).map((name) => required(`${field}.${name}`));
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

const rules: { readonly [K in SourceName]: Rule<K> } = {
  emptyDir: ({ sizeLimit }, field) =>
    sizeLimit !== undefined && compareQuantity(sizeLimit, '0') < 0
      ? [forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: ({ path = '', type }, field) => [
    ...(path === '' ? [required(`${field}.path`)] : validateNoBacksteps(path, `${field}.path`)),
    ...(type !== undefined && !hostPathTypes.includes(type) ? [notSupported(`${field}.type`, type, hostPathTypes)] : []),
  ],
  gitRepo: ({ repository, directory }, field) => [
    ...(repository ? [] : [required(`${field}.repository`)]),
    ...(directory ? validateVolumePath(directory, `${field}.directory`) : []),
  ],
  gcePersistentDisk: needs('pdName'),
  awsElasticBlockStore: needs('volumeID'),
  secret: ({ secretName, defaultMode, items }, field) => [
    ...(secretName ? [] : [required(`${field}.secretName`)]),
    ...validateMode(defaultMode, `${field}.defaultMode`),
    ...each(`${field}.items`, items, validateItem),
  ],
  nfs: ({ server, path = '' }, field) => [
    ...(server ? [] : [required(`${field}.server`)]),
    ...(path === '' ? [required(`${field}.path`)] : []),
    ...(path.startsWith('/') ? [] : [invalid(`${field}.path`, path, 'must be an absolute path')]),
  ],
  iscsi: needs('targetPortal', 'iqn'),
  glusterfs: needs('endpoints', 'path'),
  flocker: ({ datasetName, datasetUUID }, field) =>
    datasetName || datasetUUID ? [] : [required(field, 'one of datasetName and datasetUUID is required')],
  persistentVolumeClaim: needs('claimName'),
  rbd: needs('monitors', 'image'),
  cinder: needs('volumeID'),
  cephfs: needs('monitors'),
  quobyte: needs('registry', 'volume'),
  downwardAPI: ({ defaultMode, items }, field) => [
    ...validateMode(defaultMode, `${field}.defaultMode`),
    ...each(field, items, (item) => validateDownwardItem(item, field)),
  ],
  fc: ({ targetWWNs, wwids }, field) => {
    if (isEmpty(targetWWNs) && isEmpty(wwids)) {
      return [required(`${field}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both')];
    }
    return [];
  },
  flexVolume: needs('driver'),
  configMap: ({ name, defaultMode, items }, field) => [
    ...(name ? [] : [required(`${field}.name`)]),
    ...validateMode(defaultMode, `${field}.defaultMode`),
    ...each(`${field}.items`, items, validateItem),
  ],
  azureFile: needs('secretName', 'shareName'),
  vsphereVolume: needs('volumePath'),
  photonPersistentDisk: needs('pdID'),
  portworxVolume: needs('volumeID'),
  azureDisk: needs('diskName', 'diskURI'),
  storageos: needs('volumeName'),
  projected: validateProjected,
  scaleIO: needs('gateway', 'system', 'volumeName'),
  csi: ({ driver }, field) =>
    driver ? check(`${field}.driver`, driver.toLowerCase(), (name) => nameIsDnsSubdomain(name, false)) : [required(`${field}.driver`)],
  ephemeral: ({ volumeClaimTemplate }, field) => (volumeClaimTemplate ? [] : [required(`${field}.volumeClaimTemplate`)]),
  image: ({ reference, pullPolicy = '' }, field) => [
    ...(reference ? [] : [required(`${field}.reference`)]),
    ...(['Always', 'IfNotPresent', 'Never'].includes(pullPolicy)
      ? []
      : [notSupported(`${field}.pullPolicy`, pullPolicy, ['Always', 'IfNotPresent', 'Never'])]),
  ],
};

/** Every volume source and its rules, in the order in which a second one is refused. */
export const volumeSourceRules: readonly (readonly [SourceName, (source: unknown, field: string) => FieldError[]])[] = (
  Object.keys(rules) as SourceName[]
).map((name) => [name, rules[name] as (source: unknown, field: string) => FieldError[]]);

/** Source: validateKeyToPath. */
function validateItem({ key = '', path = '', mode }: KeyToPath, field: string): FieldError[] {
  return [
    ...(key === '' ? [required(`${field}.key`)] : []),
    ...(path === '' ? [required(`${field}.path`)] : validateVolumePath(path, `${field}.path`)),
    ...validateMode(mode, `${field}.mode`),
  ];
}

/** Source: validateDownwardAPIVolumeFile. */
function validateDownwardItem({ path = '', fieldRef, resourceFieldRef, mode }: DownwardAPIVolumeFile, field: string): FieldError[] {
  const errors = path === '' ? [required(`${field}.path`)] : validateVolumePath(path, `${field}.path`);
  if (fieldRef) {
    errors.push(...validateFieldRef(fieldRef, downwardFields, `${field}.fieldRef`));
    if (resourceFieldRef) errors.push(invalid(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (resourceFieldRef) errors.push(...validateResourceFieldRef(resourceFieldRef, `${field}.resourceFieldRef`, true));
  else errors.push(required(field, 'one of fieldRef and resourceFieldRef is required'));
  return [...errors, ...validateMode(mode, `${field}.mode`)];
}

/** Source: validateProjectedVolumeSource. */
function validateProjected({ defaultMode, sources }: ProjectedVolumeSource, field: string): FieldError[] {
  const paths = new Set<string>();
  return [
    ...validateMode(defaultMode, `${field}.defaultMode`),
    ...each(`${field}.sources`, sources, (source, path) => validateProjection(source, paths, field, path)),
  ];
}

function validateProjection(projection: VolumeProjection, paths: Set<string>, volume: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let found = false;
  for (const key of projectionNames) {
    if (projection[key] === undefined || projection[key] === null) continue;
    if (found) errors.push(forbidden(`${field}.${key}`, 'may not specify more than 1 volume type'));
    else errors.push(...projectionRules[key](projection, `${field}.${key}`));
    found = true;
    for (const [path, name] of pathsOf(projection, key)) {
      if (paths.has(path)) errors.push(invalid(volume, name, 'conflicting duplicate paths'));
      paths.add(path);
    }
  }
  return found ? errors : [required(field, 'must specify a volume type')];
}

const projectionNames = ['secret', 'configMap', 'downwardAPI', 'serviceAccountToken', 'clusterTrustBundle', 'podCertificate'] as const;
type ProjectionName = (typeof projectionNames)[number];

const projectionRules: { readonly [K in ProjectionName]: (projection: VolumeProjection, field: string) => FieldError[] } = {
  secret: ({ secret }, field) => validateNamedItems(secret, field),
  configMap: ({ configMap }, field) => validateNamedItems(configMap, field),
  downwardAPI: ({ downwardAPI }, field) => each(field, downwardAPI?.items, (item) => validateDownwardItem(item, field)),
  serviceAccountToken: ({ serviceAccountToken }, field) => validateToken(serviceAccountToken ?? { path: '' }, field),
  clusterTrustBundle: ({ clusterTrustBundle }, field) => {
    const path = clusterTrustBundle?.path ?? '';
    return path === '' ? [required(`${field}.path`)] : validateVolumePath(path, `${field}.path`);
  },
  podCertificate: ({ podCertificate }, field) => (podCertificate?.signerName ? [] : [required(`${field}.signerName`)]),
};

function validateNamedItems(
  source: { readonly name?: string; readonly items?: readonly KeyToPath[] } | undefined,
  field: string,
): FieldError[] {
  return [...(source?.name ? [] : [required(`${field}.name`)]), ...each(`${field}.items`, source?.items, validateItem)];
}

function validateToken(
  { path = '', expirationSeconds }: NonNullable<VolumeProjection['serviceAccountToken']>,
  field: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (expirationSeconds !== undefined && expirationSeconds < TOKEN_SECONDS_MIN) {
    errors.push(invalid(`${field}.expirationSeconds`, expirationSeconds, 'may not specify a duration less than 10 minutes'));
  }
  if (expirationSeconds !== undefined && expirationSeconds > TOKEN_SECONDS_MAX) {
    errors.push(invalid(`${field}.expirationSeconds`, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  return [...errors, ...(path === '' ? [required(`${field}.path`)] : validateVolumePath(path, `${field}.path`))];
}

/** Paths that a projection writes, each with what upstream names in a conflict. */
function pathsOf(projection: VolumeProjection, key: ProjectionName): readonly (readonly [string, string])[] {
  if (key === 'secret' || key === 'configMap') {
    return (projection[key]?.items ?? []).map(({ path }) => [path, projection[key]?.name ?? ''] as const);
  }
  if (key === 'downwardAPI') return (projection.downwardAPI?.items ?? []).map(({ path }) => [path, path] as const);
  const path = key === 'podCertificate' ? undefined : projection[key]?.path;
  return path ? [[path, path]] : [];
}
