import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api/core/v1';
import { compareQuantity, selectorFromLabelSelector } from '@orrery/apimachinery';

const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

/** The class that a claim or a volume names; empty for none. */
export const classOf = ({ metadata, spec }: PersistentVolumeClaim | PersistentVolume): string =>
  metadata.annotations?.[betaClassAnnotation] ?? spec?.storageClassName ?? '';

/** Whether the volume says that it is for this claim, by name and, where it says so, by uid. Source: IsVolumeBoundToClaim. */
export function isFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { name, namespace, uid = '' } = spec?.claimRef ?? {};
  return name === metadata.name && namespace === metadata.namespace && (uid === '' || uid === metadata.uid);
}

/** Why a volume cannot be the claim's, or undefined. */
export function mismatch({ spec = {}, metadata }: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  const wanted = claim.spec ?? {};
  if ((spec.volumeMode ?? 'Filesystem') !== (wanted.volumeMode ?? 'Filesystem')) return 'incompatible volumeMode';
  const size = wanted.resources?.requests?.['storage'] ?? '0';
  if (compareQuantity(spec.capacity?.['storage'] ?? '0', size) < 0) return 'requested PV is too small';
  if (classOf({ spec, metadata } as PersistentVolume) !== classOf(claim)) return 'storageClassName does not match';
  if (!(wanted.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode))) return 'incompatible accessMode';
  return undefined;
}

/**
 * The volume that a claim gets: one that is for it, or else the smallest free one that fits; equal ones by name.
 * @param boundOnly - Only one that is for it: its class waits for a pod. Source: volume.FindMatchingVolume.
 */
export function bestMatch(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  boundOnly: boolean,
): PersistentVolume | undefined {
  const own = volumes.find((volume) => isFor(volume, claim));
  if (own !== undefined || boundOnly) return own;
  const selector = claim.spec?.selector === undefined ? undefined : selectorFromLabelSelector(claim.spec.selector);
  const free = volumes.filter(
    (volume) =>
      volume.spec?.claimRef === undefined &&
      volume.status?.phase === 'Available' &&
      volume.metadata.deletionTimestamp === undefined &&
      (selector === undefined || selector.matches(volume.metadata.labels ?? {})) &&
      mismatch(volume, claim) === undefined,
  );
  const size = ({ spec }: PersistentVolume): string => spec?.capacity?.['storage'] ?? '0';
  return free.sort((a, b) => compareQuantity(size(a), size(b)) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))[0];
}
