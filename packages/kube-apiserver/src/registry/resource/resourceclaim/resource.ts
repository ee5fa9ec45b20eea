import type { ResourceClaim } from '@orrery/api/resource/v1';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { immutable } from '../../validate.ts';
import { defaultRequests, validateRequests } from '../device-requests.ts';

const strategy: Strategy<ResourceClaim> = {
  generation: 'none',
  returnsDeletedObject: true,
  default: ({ spec }) => defaultRequests(spec),
  validate: ({ spec }) => validateRequests(spec ?? {}, 'spec'),
  validateUpdate: (next, old) => immutable('spec', next.spec, old.spec),
};

/** Source: the printer of claims. */
function stateOf({ metadata, status }: ResourceClaim): string {
  const states = [
    ...(metadata.deletionTimestamp === undefined ? [] : ['deleted']),
    ...(status?.allocation === undefined ? ['pending'] : ['allocated']),
    ...((status?.reservedFor ?? []).length === 0 ? [] : ['reserved']),
  ];
  return states.join(',');
}

export const resourceClaimDefinition: ResourceDefinition<ResourceClaim> = {
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  resource: 'resourceclaims',
  singular: 'resourceclaim',
  namespaced: true,
  typeName: 'io.k8s.api.resource.v1.ResourceClaim',
  strategy,
  status: {},
  columns: [nameColumn, { name: 'State', description: 'What became of it.', cell: stateOf }, ageColumn],
};
