import type { ReplicaSet } from '@orrery/api/apps/v1';
import { selectorFromLabelSelector } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, containerColumns, nameColumn, selectorColumn } from '../../../table/columns.ts';
import { replicaSetStatus, replicaSetStrategy } from './strategy.ts';

export const replicaSetDefinition: ResourceDefinition<ReplicaSet> = {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  resource: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  typeName: 'io.k8s.api.apps.v1.ReplicaSet',
  strategy: replicaSetStrategy,
  status: replicaSetStatus,
  scale: {
    specReplicas: ({ spec }) => spec.replicas ?? 0,
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => selectorFromLabelSelector(spec.selector).toString(),
    withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
  },
  selectableFields: { 'status.replicas': ({ status }) => `${status?.replicas ?? 0}` },
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', description: 'Number of pods wanted.', cell: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', description: 'Number of pods there are.', cell: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', description: 'Number of pods that are ready.', cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...containerColumns<ReplicaSet>(({ spec }) => spec.template),
    selectorColumn<ReplicaSet>(({ spec }) => spec.selector),
  ],
};
