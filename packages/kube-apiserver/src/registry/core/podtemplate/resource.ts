import type { PodTemplate } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { containerColumns, formatLabels, nameColumn } from '../../../table/columns.ts';
import { podTemplateStrategy } from './strategy.ts';

export const podTemplateDefinition: ResourceDefinition<PodTemplate> = {
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  resource: 'podtemplates',
  singular: 'podtemplate',
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.PodTemplate',
  strategy: podTemplateStrategy,
  columns: [
    nameColumn,
    ...containerColumns<PodTemplate>(({ template }) => template, 0),
    {
      name: 'Pod Labels',
      description: 'The labels for the pod template.',
      cell: ({ template }) => formatLabels(template?.metadata?.labels),
    },
  ],
};
