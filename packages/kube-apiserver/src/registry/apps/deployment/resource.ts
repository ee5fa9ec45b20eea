import type { Deployment } from '@orrery/api/apps/v1';
import { selectorFromLabelSelector } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, containerColumns, nameColumn, selectorColumn } from '../../../table/columns.ts';
import { deploymentStatus, deploymentStrategy } from './strategy.ts';

export const deploymentDefinition: ResourceDefinition<Deployment> = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  typeName: 'io.k8s.api.apps.v1.Deployment',
  strategy: deploymentStrategy,
  status: deploymentStatus,
  scale: {
    specReplicas: ({ spec }) => spec.replicas ?? 0,
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => selectorFromLabelSelector(spec.selector).toString(),
    withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
  },
  columns: [
    nameColumn,
    {
      name: 'Ready',
      description: 'Number of the pod with ready state',
      cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    { name: 'Up-to-date', description: 'Pods with the newest template.', cell: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: 'Available', description: 'Pods that are ready for long enough.', cell: ({ status }) => status?.availableReplicas ?? 0 },
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec.template),
    selectorColumn<Deployment>(({ spec }) => spec.selector),
  ],
};
