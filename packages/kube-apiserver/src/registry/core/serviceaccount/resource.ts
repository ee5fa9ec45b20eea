import type { ServiceAccount } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';

export const serviceAccountDefinition: ResourceDefinition<ServiceAccount> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  resource: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.ServiceAccount',
  strategy: { returnsDeletedObject: true },
  columns: [
    nameColumn,
    {
      name: 'Secrets',
      description: 'Number of secrets that pods of this account may use.',
      cell: ({ secrets }) => `${(secrets ?? []).length}`,
    },
    ageColumn,
  ],
};
