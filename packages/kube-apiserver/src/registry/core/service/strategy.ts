import type { Service } from '@orrery/api/core/v1';
import { type Draft, nameIsDnsLabel } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { asDraft, ensure, fill } from '../../defaulting.ts';
import { isExternallyAccessible, needsClusterIp, normaliseClusterIps } from './families.ts';
import { dropTypeDependentFields, patchAllocatedValues } from './type-transition.ts';
import { validateService, validateServiceStatus, validateServiceUpdate } from './validation.ts';
import { serviceWarnings } from './warnings.ts';

/** Three hours. */
const CLIENT_IP_AFFINITY_SECONDS = 10_800;

export const serviceStrategy: Strategy<Service> = {
  generation: 'none',
  allowCreateOnUpdate: true,
  returnsDeletedObject: true,
  validateName: nameIsDnsLabel, // KEP-5311: no longer RFC 1035.
  default: defaultService,
  prepareForCreate(draft) {
    draft.status = { loadBalancer: {} };
    normaliseClusterIps(draft.spec, undefined);
  },
  validate: validateService,
  prepareForUpdate(draft, old) {
    draft.status = asDraft(old.status);
    normaliseClusterIps(draft.spec, old.spec);
    patchAllocatedValues(draft.spec, old.spec);
    dropTypeDependentFields(draft.spec, old.spec);
  },
  validateUpdate: validateServiceUpdate,
  warnings: serviceWarnings,
};

export const serviceStatus: PartialUpdate<Service> = { default: defaultService, validateUpdate: validateServiceStatus };

/** Source: SetDefaults_Service. */
function defaultService(draft: Draft<Service>): void {
  const spec = ensure(draft, 'spec');
  ensure(ensure(draft, 'status'), 'loadBalancer');
  fill(spec, 'type', 'ClusterIP');
  fill(spec, 'sessionAffinity', 'None');
  defaultAffinity(spec);
  for (const port of spec.ports ?? []) {
    fill(port, 'protocol', 'TCP');
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port;
  }
  if (isExternallyAccessible(spec)) fill(spec, 'externalTrafficPolicy', 'Cluster');
  if (needsClusterIp(spec)) fill(spec, 'internalTrafficPolicy', 'Cluster');
  if (spec.type === 'LoadBalancer') {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of draft.status.loadBalancer?.ingress ?? []) if (ingress.ip) fill(ingress, 'ipMode', 'VIP');
  }
}

function defaultAffinity(spec: Draft<Service['spec']>): void {
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: CLIENT_IP_AFFINITY_SECONDS } };
  }
}
