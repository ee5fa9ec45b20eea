import type { Namespace } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { namespaceFinalize, namespaceStatus, namespaceStrategy } from './strategy.ts';

export const namespaceDefinition: ResourceDefinition<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  resource: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  typeName: 'io.k8s.api.core.v1.Namespace',
  verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'], // No deletecollection, as upstream.
  strategy: namespaceStrategy,
  status: namespaceStatus,
  partials: { finalize: namespaceFinalize },
  selectableFields: { 'status.phase': ({ status }) => status?.phase ?? '', name: ({ metadata }) => metadata.name ?? '' },
  columns: [
    nameColumn,
    { name: 'Status', description: 'The status of the namespace', cell: ({ status }) => status?.phase ?? '' },
    ageColumn,
  ],
};
