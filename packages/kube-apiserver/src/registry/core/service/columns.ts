import type { Service } from '@orrery/api/core/v1';
import type { Column } from '@orrery/apiserver';
import { ageColumn, formatLabels, nameColumn } from '../../../table/columns.ts';

/** Source: printService. */
export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  { name: 'Type', description: 'How the Service is reached.', cell: ({ spec }) => spec.type ?? '' },
  {
    name: 'Cluster-IP',
    description: 'Address inside the cluster.',
    cell: ({ spec }) => spec.clusterIPs?.[0] || spec.clusterIP || '<none>',
  },
  { name: 'External-IP', description: 'Addresses from outside.', cell: externalText },
  { name: 'Port(s)', description: 'Ports, with the node port after a colon.', cell: portsText },
  ageColumn,
  { name: 'Selector', priority: 1, description: 'Labels of the pods behind it.', cell: ({ spec }) => formatLabels(spec.selector) },
];

function externalText({ spec, status }: Service): string {
  const own = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ExternalName':
      return spec.externalName ?? '';
    case 'LoadBalancer': {
      const given = new Set((status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean));
      const all = [...[...given].sort(), ...own];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    case 'ClusterIP':
    case 'NodePort':
      return own.length === 0 ? '<none>' : own.join(',');
    default:
      return '<unknown>';
  }
}

function portsText({ spec }: Service): string {
  const ports = (spec.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.length === 0 ? '<none>' : ports.join(',');
}
