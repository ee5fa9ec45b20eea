import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api/core/v1';
import type { StorageClass } from '@orrery/api/storage/v1';
import { compareQuantity, selectorFromLabelSelector } from '@orrery/apimachinery';
import type { NodeInfo } from '../../cache/node-info.ts';
import { termMatcher } from '../node-affinity/node-selector.ts';

export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed';
const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class';
const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

export const classNameOf = ({ metadata, spec }: PersistentVolumeClaim | PersistentVolume): string =>
  metadata.annotations?.[betaClassAnnotation] ?? spec?.storageClassName ?? '';

/** Both sides have agreed. */
export const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  (spec?.volumeName ?? '') !== '' && metadata.annotations?.[bindCompletedAnnotation] !== undefined;

/** Whether pods on the node can reach the volume. */
export function isReachable({ spec }: PersistentVolume, node: Pick<NodeInfo, 'name' | 'labels'>): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => termMatcher(term)(node));
}

/**
 * The smallest free volume for the claim that the node reaches, or the one that is set aside for it.
 * @param taken - Volumes that pods being bound will have. Source: volume.FindMatchingVolume.
 */
export function volumeFor(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node: Pick<NodeInfo, 'name' | 'labels'>,
  taken: ReadonlySet<string>,
): PersistentVolume | undefined {
  const { name, namespace, uid } = claim.metadata;
  const reference = (volume: PersistentVolume) => volume.spec?.claimRef;
  const own = volumes.find((volume) => {
    const claimed = reference(volume);
    return claimed?.name === name && claimed?.namespace === namespace && ['', uid].includes(claimed?.uid ?? '');
  });
  if (own !== undefined) return isReachable(own, node) ? own : undefined;
  const { selector, accessModes = [], volumeMode = 'Filesystem', resources } = claim.spec ?? {};
  const labels = selector === undefined ? undefined : selectorFromLabelSelector(selector);
  const size = ({ spec }: PersistentVolume): string => spec?.capacity?.['storage'] ?? '0';
  return volumes
    .filter(
      (volume) =>
        reference(volume) === undefined &&
        volume.status?.phase === 'Available' &&
        volume.metadata.deletionTimestamp === undefined &&
        !taken.has(volume.metadata.name ?? '') &&
        classNameOf(volume) === classNameOf(claim) &&
        (volume.spec?.volumeMode ?? 'Filesystem') === volumeMode &&
        accessModes.every((mode) => volume.spec?.accessModes?.includes(mode)) &&
        compareQuantity(size(volume), resources?.requests?.['storage'] ?? '0') >= 0 &&
        (labels?.matches(volume.metadata.labels ?? {}) ?? true) &&
        isReachable(volume, node),
    )
    .sort((a, b) => compareQuantity(size(a), size(b)) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))[0];
}

/** Whether somebody can make a volume of the class for the node. */
export function canProvision(found: StorageClass | undefined, { labels }: Pick<NodeInfo, 'labels'>): boolean {
  if (found === undefined || found.provisioner === '' || found.provisioner === NO_PROVISIONER) return false;
  const { allowedTopologies = [] } = found;
  if (allowedTopologies.length === 0) return true;
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values = [] }) => values.includes(labels[key] ?? '')),
  );
}
