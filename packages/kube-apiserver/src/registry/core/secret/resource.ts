import type { Secret } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { secretStrategy } from './strategy.ts';

export const secretDefinition: ResourceDefinition<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  singular: 'secret',
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.Secret',
  strategy: secretStrategy,
  selectableFields: { type: ({ type }) => type ?? '' },
  columns: [
    nameColumn,
    { name: 'Type', description: 'What the data is for.', cell: ({ type }) => type ?? '' },
    { name: 'Data', description: 'Number of keys.', cell: ({ data }) => `${Object.keys(data ?? {}).length}` },
    ageColumn,
  ],
};
