import type { Service } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { serviceColumns } from './columns.ts';
import { serviceStatus, serviceStrategy } from './strategy.ts';

export const serviceDefinition: ResourceDefinition<Service> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.Service',
  storagePrefix: 'services/specs',
  strategy: serviceStrategy,
  status: serviceStatus,
  selectableFields: { 'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '', 'spec.type': ({ spec }) => spec.type ?? '' },
  columns: serviceColumns,
};
