import type { Pod } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { podColumns } from './columns.ts';
import { podEphemeralContainers } from './ephemeral-containers.ts';
import { podResize } from './resize.ts';
import { podStatus } from './status.ts';
import { podStrategy } from './strategy.ts';

export const podDefinition: ResourceDefinition<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  resource: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.Pod',
  strategy: podStrategy,
  status: podStatus,
  partials: { ephemeralcontainers: podEphemeralContainers, resize: podResize },
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => `${spec.hostNetwork === true}`,
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  columns: podColumns,
};
