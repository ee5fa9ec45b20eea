import type { ResourceDefinition } from '@orrery/apiserver';
import { ingressDefinition } from './ingress/resource.ts';
import { ingressClassDefinition } from './ingressclass/resource.ts';
import { ipAddressDefinition } from './ipaddress/resource.ts';
import { networkPolicyDefinition } from './networkpolicy/resource.ts';
import { serviceCidrDefinition } from './servicecidr/resource.ts';

export const networkingResources: readonly ResourceDefinition[] = [
  ingressDefinition,
  ingressClassDefinition,
  ipAddressDefinition,
  networkPolicyDefinition,
  serviceCidrDefinition,
];
