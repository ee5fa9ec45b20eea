import type { NetworkPolicy, NetworkPolicyPort } from '@orrery/api/networking/v1';
import { selectorFromLabelSelector } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { ensure, fill } from '../../defaulting.ts';
import { validateNetworkPolicy } from './validation.ts';

const networkPolicyStrategy: Strategy<NetworkPolicy> = {
  /** Source: SetDefaults_NetworkPolicy, SetDefaults_NetworkPolicyPort. */
  default(draft) {
    const spec = ensure(draft, 'spec');
    ensure(spec, 'podSelector');
    const { ingress = [], egress = [], policyTypes = [] } = spec;
    for (const { ports } of [...ingress, ...egress])
      for (const port of ports ?? []) fill<NetworkPolicyPort, 'protocol'>(port, 'protocol', 'TCP');
    if (policyTypes.length === 0) spec.policyTypes = egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  },
  validate: (policy) => validateNetworkPolicy(policy),
  validateUpdate: validateNetworkPolicy,
};

export const networkPolicyDefinition: ResourceDefinition<NetworkPolicy> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  resource: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  namespaced: true,
  typeName: 'io.k8s.api.networking.v1.NetworkPolicy',
  strategy: networkPolicyStrategy,
  columns: [
    nameColumn,
    {
      name: 'Pod-Selector',
      description: 'Which pods of the namespace it speaks of.',
      cell: ({ spec }) => selectorFromLabelSelector(spec.podSelector ?? {}).toString() || '<none>',
    },
    ageColumn,
  ],
};
