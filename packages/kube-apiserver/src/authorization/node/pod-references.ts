import type { Pod, Volume } from '@orrery/api/core/v1';

/** What a node may read because a pod on it uses it. */
export type Referenced = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts' | 'resourceclaims';

/** Whether a pod uses the object. */
export function podRefersTo(pod: Pod, kind: Referenced, name: string): boolean {
  const { spec, metadata } = pod;
  if (kind === 'serviceaccounts') return (spec.serviceAccountName ?? 'default') === name;
  if (kind === 'resourceclaims') {
    return (
      (pod.status?.resourceClaimStatuses ?? []).some((claim) => claim.resourceClaimName === name) ||
      (spec.resourceClaims ?? []).some((claim) => claim.resourceClaimName === name)
    );
  }
  if (kind === 'secrets' && (spec.imagePullSecrets ?? []).some((secret) => secret.name === name)) return true;
  if ((spec.volumes ?? []).some((volume) => volumeRefersTo(volume, kind, name, metadata.name))) return true;
  return kind !== 'persistentvolumeclaims' && containersOf(pod).some((container) => environmentRefersTo(container, kind, name));
}

type Environment = Pick<NonNullable<Pod['spec']['containers']>[number], 'env' | 'envFrom'>;

const containersOf = ({ spec }: Pod): readonly Environment[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

function environmentRefersTo({ env = [], envFrom = [] }: Environment, kind: 'secrets' | 'configmaps', name: string): boolean {
  const secret = kind === 'secrets';
  return (
    env.some(({ valueFrom }) => (secret ? valueFrom?.secretKeyRef : valueFrom?.configMapKeyRef)?.name === name) ||
    envFrom.some((source) => (secret ? source.secretRef : source.configMapRef)?.name === name)
  );
}

function volumeRefersTo(volume: Volume, kind: 'secrets' | 'configmaps' | 'persistentvolumeclaims', name: string, podName: string): boolean {
  const sources = volume.projected?.sources ?? [];
  switch (kind) {
    case 'persistentvolumeclaims':
      return volume.persistentVolumeClaim?.claimName === name || (volume.ephemeral !== undefined && `${podName}-${volume.name}` === name);
    case 'configmaps':
      return volume.configMap?.name === name || sources.some(({ configMap }) => configMap?.name === name);
    case 'secrets':
      return (
        volume.secret?.secretName === name ||
        sources.some(({ secret }) => secret?.name === name) ||
        [
          volume.csi?.nodePublishSecretRef,
          volume.cephfs?.secretRef,
          volume.flexVolume?.secretRef,
          volume.iscsi?.secretRef,
          volume.rbd?.secretRef,
          volume.scaleIO?.secretRef,
          volume.storageos?.secretRef,
        ].some((reference) => reference?.name === name) ||
        volume.azureFile?.secretName === name
      );
  }
}
