import type { PodSpec, Volume } from '@orrery/api/core/v1';

const deprecated: readonly (readonly [keyof Volume, string, string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** Volume sources that no node can mount any more, or not for long. */
export function deprecatedVolumes({ volumes }: PodSpec, field: string): string[] {
  return (volumes ?? []).flatMap((volume, index) =>
    deprecated.filter(([key]) => volume[key] !== undefined).map(([, name, message]) => `${field}.volumes[${index}].${name}: ${message}`),
  );
}
