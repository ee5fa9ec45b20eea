import type { EndpointSlice } from '@orrery/api/discovery/v1';
import type { Strategy } from '@orrery/apiserver';
import { fill } from '../../defaulting.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './validation.ts';

export const endpointSliceStrategy: Strategy<EndpointSlice> = {
  generationOf: ({ addressType, endpoints, ports, metadata }) => [addressType, endpoints, ports, metadata.labels, metadata.annotations],
  default({ ports, endpoints }) {
    for (const port of ports ?? []) {
      port.name ??= '';
      fill(port, 'protocol', 'TCP');
    }
    for (const endpoint of endpoints ?? []) endpoint.conditions ??= {};
  },
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
};
