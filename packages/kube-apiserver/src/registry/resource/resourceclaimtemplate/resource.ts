import type { ResourceClaimTemplate } from '@orrery/api/resource/v1';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { immutable } from '../../validate.ts';
import { defaultRequests, validateRequests } from '../device-requests.ts';

const strategy: Strategy<ResourceClaimTemplate> = {
  generation: 'none',
  returnsDeletedObject: true,
  default: ({ spec }) => defaultRequests(spec?.spec),
  validate: ({ spec }) => validateRequests(spec?.spec ?? {}, 'spec.spec'),
  validateUpdate: (next, old) => immutable('spec', next.spec, old.spec),
};

export const resourceClaimTemplateDefinition: ResourceDefinition<ResourceClaimTemplate> = {
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  resource: 'resourceclaimtemplates',
  singular: 'resourceclaimtemplate',
  namespaced: true,
  typeName: 'io.k8s.api.resource.v1.ResourceClaimTemplate',
  strategy,
  columns: [nameColumn, ageColumn],
};
