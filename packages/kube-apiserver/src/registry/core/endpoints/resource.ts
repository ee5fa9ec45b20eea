import type { Endpoints } from '@orrery/api/core/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, firstFew, nameColumn } from '../../../table/columns.ts';
import { endpointsStrategy } from './strategy.ts';

export const endpointsDefinition: ResourceDefinition<Endpoints> = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  resource: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  typeName: 'io.k8s.api.core.v1.Endpoints',
  storagePrefix: 'services/endpoints',
  deprecation: { since: '1.33', replacement: 'discovery.k8s.io/v1 EndpointSlice' },
  strategy: endpointsStrategy,
  columns: [
    nameColumn,
    { name: 'Endpoints', description: 'Addresses and ports.', cell: (object) => firstFew(addresses(object), 3, '<none>') },
    ageColumn,
  ],
};

const hostPort = (ip: string, port: number): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

function addresses({ subsets }: Endpoints): string[] {
  return (subsets ?? []).flatMap(({ addresses: ready = [], ports = [] }) =>
    ports.length === 0 ? ready.map(({ ip }) => ip) : ports.flatMap(({ port }) => ready.map(({ ip }) => hostPort(ip, port))),
  );
}
