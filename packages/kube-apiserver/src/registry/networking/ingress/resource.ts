import type { Ingress } from '@orrery/api/networking/v1';
import type { Column, ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { ensure } from '../../defaulting.ts';
import { validateIngress, validateIngressStatus, validateIngressUpdate } from './validation.ts';

/** Hosts that the table names. */
const HOSTS_MAX = 3;

const addressesOf = ({ status }: Ingress): string =>
  (status?.loadBalancer?.ingress ?? [])
    .map(({ ip = '', hostname = '' }) => ip || hostname)
    .filter((address) => address !== '')
    .join();

const columns: readonly Column<Ingress>[] = [
  nameColumn,
  { name: 'Class', description: 'Whose controller serves it.', cell: ({ spec }) => spec.ingressClassName ?? '<none>' },
  { name: 'Hosts', description: 'Names that it answers to.', cell: hostsOf },
  { name: 'Address', description: 'Where it is reached.', cell: addressesOf },
  { name: 'Ports', description: 'Ports that it listens on.', cell: ({ spec }) => ((spec.tls ?? []).length > 0 ? '80, 443' : '80') },
  ageColumn,
];

/** Source: formatHosts: what is more counts rules, also those without a host. */
function hostsOf({ spec }: Ingress): string {
  const rules = spec.rules ?? [];
  const named = rules.flatMap(({ host = '' }, index) => (host === '' ? [] : [{ host, index }]));
  const shown = named.slice(0, HOSTS_MAX);
  const last = shown.at(-1);
  if (last === undefined) return '*';
  const more = shown.length === HOSTS_MAX && last.index < rules.length - 1;
  const text = shown.map(({ host }) => host).join();
  return more ? `${text} + ${rules.length - HOSTS_MAX} more...` : text;
}

export const ingressDefinition: ResourceDefinition<Ingress> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  resource: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  namespaced: true,
  typeName: 'io.k8s.api.networking.v1.Ingress',
  storagePrefix: 'ingress',
  strategy: {
    default(draft) {
      ensure(draft, 'spec');
      ensure(ensure(draft, 'status'), 'loadBalancer');
    },
    validate: validateIngress,
    validateUpdate: (next) => validateIngressUpdate(next),
  },
  status: { validateUpdate: validateIngressStatus },
  columns,
};
