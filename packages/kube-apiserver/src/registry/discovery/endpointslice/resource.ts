import type { EndpointSlice } from '@orrery/api/discovery/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, firstFew, nameColumn } from '../../../table/columns.ts';
import { endpointSliceStrategy } from './strategy.ts';

export const endpointSliceDefinition: ResourceDefinition<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  resource: 'endpointslices',
  singular: 'endpointslice',
  namespaced: true,
  typeName: 'io.k8s.api.discovery.v1.EndpointSlice',
  strategy: endpointSliceStrategy,
  columns: [
    nameColumn,
    { name: 'AddressType', description: 'IPv4, IPv6 or FQDN.', cell: ({ addressType }) => addressType ?? '' },
    {
      name: 'Ports',
      description: 'Ports of every endpoint.',
      cell: ({ ports }) =>
        firstFew(
          (ports ?? []).map(({ port }) => (port === undefined ? '*' : `${port}`)),
          3,
          '<unset>',
        ),
    },
    {
      name: 'Endpoints',
      description: 'Addresses.',
      cell: ({ endpoints }) =>
        firstFew(
          (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
          3,
          '<unset>',
        ),
    },
    ageColumn,
  ],
};
