import type { ConfigMap } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { configMapStrategy } from './strategy.ts';

export const configMapDefinition: ResourceDefinition<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.ConfigMap',
  strategy: configMapStrategy,
  columns: [
    nameColumn,
    {
      name: 'Data',
      description: 'Number of keys.',
      cell: ({ data, binaryData }) => `${Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length}`,
    },
    ageColumn,
  ],
};
