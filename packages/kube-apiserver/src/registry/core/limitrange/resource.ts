import type { LimitRange } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { createdAtColumn, nameColumn } from '../../../table/columns.ts';
import { limitRangeStrategy } from './strategy.ts';

export const limitRangeDefinition: ResourceDefinition<LimitRange> = {
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  resource: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.LimitRange',
  strategy: limitRangeStrategy,
  columns: [nameColumn, createdAtColumn],
};
