import type { DownwardAPIVolumeFile, ProjectedVolumeSource, Volume } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import { fill } from '../../defaulting.ts';
import { imagePullPolicyOf } from './image.ts';

/** Octal 0644. */
const FILE_MODE = 0o644;
const TOKEN_EXPIRATION_SECONDS = 3600;

/** Defaults of one volume. A volume without a source is an emptyDir. Source: `SetDefaults_Volume` and the volume sources' own. */
export function defaultVolume(volume: Draft<Volume>): void {
  if (Object.entries(volume).every(([field, value]) => field === 'name' || value === undefined || value === null)) volume.emptyDir = {};
  if (volume.secret) fill(volume.secret, 'defaultMode', FILE_MODE);
  if (volume.configMap) fill(volume.configMap, 'defaultMode', FILE_MODE);
  if (volume.downwardAPI) {
    fill(volume.downwardAPI, 'defaultMode', FILE_MODE);
    defaultFieldRefs(volume.downwardAPI.items);
  }
  if (volume.projected) defaultProjected(volume.projected);
  if (volume.hostPath) volume.hostPath.type ??= '';
  if (volume.image) fill(volume.image, 'pullPolicy', imagePullPolicyOf(volume.image.reference ?? ''));
  if (volume.ephemeral?.volumeClaimTemplate?.spec) fill(volume.ephemeral.volumeClaimTemplate.spec, 'volumeMode', 'Filesystem');
  defaultLegacySource(volume);
}

function defaultProjected(projected: Draft<ProjectedVolumeSource>): void {
  fill(projected, 'defaultMode', FILE_MODE);
  for (const source of projected.sources ?? []) {
    if (source.serviceAccountToken) fill(source.serviceAccountToken, 'expirationSeconds', TOKEN_EXPIRATION_SECONDS);
    defaultFieldRefs(source.downwardAPI?.items);
  }
}

function defaultFieldRefs(items: readonly Draft<DownwardAPIVolumeFile>[] | undefined): void {
  for (const { fieldRef } of items ?? []) if (fieldRef) fill(fieldRef, 'apiVersion', 'v1');
}

function defaultLegacySource({ iscsi, rbd, azureDisk, scaleIO }: Draft<Volume>): void {
  if (iscsi) fill(iscsi, 'iscsiInterface', 'default');
  if (rbd) {
    fill(rbd, 'pool', 'rbd');
    fill(rbd, 'user', 'admin');
    fill(rbd, 'keyring', '/etc/ceph/keyring');
  }
  if (azureDisk) {
    fill(azureDisk, 'cachingMode', 'ReadWrite');
    fill(azureDisk, 'fsType', 'ext4');
    fill(azureDisk, 'readOnly', false);
    fill(azureDisk, 'kind', 'Shared');
  }
  if (scaleIO) {
    fill(scaleIO, 'storageMode', 'ThinProvisioned');
    fill(scaleIO, 'fsType', 'xfs');
  }
}
