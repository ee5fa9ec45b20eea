import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@orrery/api/core/v1';
import type { StorageClass } from '@orrery/api/storage/v1';

/** Claims, volumes and classes as last seen. */
export interface VolumeView {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumes(): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
}

export interface PodClaim {
  readonly name: string;
  /** It is made for the pod, by a controller. */
  readonly ephemeral: boolean;
}

/** The claims that a pod's volumes use, in its namespace. */
export function podClaims({ metadata, spec }: Pod): readonly PodClaim[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }): PodClaim[] => {
    if (persistentVolumeClaim !== undefined) return [{ name: persistentVolumeClaim.claimName, ephemeral: false }];
    return ephemeral === undefined ? [] : [{ name: `${metadata.name}-${name}`, ephemeral: true }];
  });
}
