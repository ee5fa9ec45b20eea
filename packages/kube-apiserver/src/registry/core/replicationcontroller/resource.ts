import type { ReplicationController } from '@orrery/api/core/v1';
import { selectorFromSet } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, containerColumns, formatLabels, nameColumn } from '../../../table/columns.ts';
import { replicationControllerStatus, replicationControllerStrategy } from './strategy.ts';

export const replicationControllerDefinition: ResourceDefinition<ReplicationController> = {
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  singular: 'replicationcontroller',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.ReplicationController',
  storagePrefix: 'controllers',
  strategy: replicationControllerStrategy,
  status: replicationControllerStatus,
  scale: {
    specReplicas: ({ spec }) => spec.replicas ?? 0,
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => selectorFromSet(spec.selector).toString(),
    withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
  },
  selectableFields: { 'status.replicas': ({ status }) => `${status?.replicas ?? 0}` },
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', description: 'Number of pods wanted.', cell: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', description: 'Number of pods there are.', cell: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', description: 'Number of pods that are ready.', cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...containerColumns<ReplicationController>(({ spec }) => spec.template),
    { name: 'Selector', priority: 1, description: 'Labels of the pods.', cell: ({ spec }) => formatLabels(spec.selector) },
  ],
};
