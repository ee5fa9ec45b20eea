import type { Node } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { nodeColumns } from './columns.ts';
import { nodeStatus, nodeStrategy } from './strategy.ts';

export const nodeDefinition: ResourceDefinition<Node> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  resource: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  namespaced: false,
  typeName: 'io.k8s.api.core.v1.Node',
  storagePrefix: 'minions',
  strategy: nodeStrategy,
  status: nodeStatus,
  selectableFields: { 'spec.unschedulable': ({ spec }) => `${spec?.unschedulable === true}` },
  columns: nodeColumns,
};
