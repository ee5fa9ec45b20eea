import type { ResourceQuota } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { resourceQuotaStatus, resourceQuotaStrategy } from './strategy.ts';

export const resourceQuotaDefinition: ResourceDefinition<ResourceQuota> = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  resource: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.ResourceQuota',
  strategy: resourceQuotaStrategy,
  status: resourceQuotaStatus,
  columns: [
    nameColumn,
    { name: 'Request', description: 'Used and hard amounts, limits apart.', cell: (quota) => usage(quota, false) },
    { name: 'Limit', description: 'Used and hard amounts of limits.', cell: (quota) => usage(quota, true) },
    ageColumn,
  ],
};

function usage({ status }: ResourceQuota, limits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .sort()
    .filter((name) => name.startsWith('limits.') === limits)
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name]}`)
    .join(', ');
}
