import type { PersistentVolume } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { shownAccessModes } from '../volume-access.ts';
import { persistentVolumeStatus, persistentVolumeStrategy } from './strategy.ts';

export const persistentVolumeDefinition: ResourceDefinition<PersistentVolume> = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  resource: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  namespaced: false,
  typeName: 'io.k8s.api.core.v1.PersistentVolume',
  strategy: persistentVolumeStrategy,
  status: persistentVolumeStatus,
  columns: [
    nameColumn,
    { name: 'Capacity', description: 'How much it holds.', cell: ({ spec }) => spec?.capacity?.['storage'] ?? '' },
    { name: 'Access Modes', description: 'Ways in which it can be mounted.', cell: ({ spec }) => shownAccessModes(spec?.accessModes) },
    {
      name: 'Reclaim Policy',
      description: 'What happens when its claim goes.',
      cell: ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? '',
    },
    {
      name: 'Status',
      description: 'Available, bound or released.',
      cell: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating'),
    },
    { name: 'Claim', description: 'The claim that it is bound to.', cell: ({ spec }) => claimOf(spec) },
    { name: 'StorageClass', description: 'Its class.', cell: ({ spec }) => spec?.storageClassName ?? '' },
    {
      name: 'VolumeAttributesClass',
      description: 'Its attributes class.',
      cell: ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>',
    },
    { name: 'Reason', description: 'Why it is in its phase.', cell: ({ status }) => status?.reason ?? '' },
    ageColumn,
    { name: 'VolumeMode', priority: 1, description: 'File system or block device.', cell: ({ spec }) => spec?.volumeMode ?? '<unset>' },
  ],
};

const claimOf = (spec: PersistentVolume['spec'] | undefined): string =>
  spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`;
