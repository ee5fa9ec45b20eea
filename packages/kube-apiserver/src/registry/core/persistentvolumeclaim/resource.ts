import type { PersistentVolumeClaim } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { shownAccessModes } from '../volume-access.ts';
import { persistentVolumeClaimStatus, persistentVolumeClaimStrategy } from './strategy.ts';

const isBound = ({ spec }: PersistentVolumeClaim): boolean => (spec?.volumeName ?? '') !== '';

export const persistentVolumeClaimDefinition: ResourceDefinition<PersistentVolumeClaim> = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  resource: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  strategy: persistentVolumeClaimStrategy,
  status: persistentVolumeClaimStatus,
  columns: [
    nameColumn,
    {
      name: 'Status',
      description: 'Pending, bound or lost.',
      cell: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating'),
    },
    { name: 'Volume', description: 'The volume that it is bound to.', cell: ({ spec }) => spec?.volumeName ?? '' },
    {
      name: 'Capacity',
      description: 'How much it has.',
      cell: (claim) => (isBound(claim) ? (claim.status?.capacity?.['storage'] ?? '0') : ''),
    },
    {
      name: 'Access Modes',
      description: 'Ways in which it can be mounted.',
      cell: (claim) => (isBound(claim) ? shownAccessModes(claim.status?.accessModes) : ''),
    },
    { name: 'StorageClass', description: 'Its class.', cell: ({ spec }) => spec?.storageClassName ?? '' },
    {
      name: 'VolumeAttributesClass',
      description: 'Its attributes class.',
      cell: ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>',
    },
    ageColumn,
    { name: 'VolumeMode', priority: 1, description: 'File system or block device.', cell: ({ spec }) => spec?.volumeMode ?? '<unset>' },
  ],
};
