import type { ServicePort, ServiceSpec } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import { isExternallyAccessible, needsClusterIp, needsHealthCheckPort, needsNodePorts } from './families.ts';

/** A replace that does not say what was allocated keeps it. Source: patchAllocatedValues. */
export function patchAllocatedValues(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  if (needsClusterIp(spec) && needsClusterIp(old)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && (old.clusterIPs ?? []).length > 0 && spec.clusterIP === old.clusterIP) {
      spec.clusterIPs = [...(old.clusterIPs ?? [])];
    }
  }
  if (needsNodePorts(spec) && needsNodePorts(old)) keepNodePorts(spec, old);
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old) && !spec.healthCheckNodePort && old.healthCheckNodePort) {
    spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

const portKey = ({ protocol, port }: ServicePort | Draft<ServicePort>): string => `${protocol}/${port}`;

function keepNodePorts(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  const byKey = new Map((old.ports ?? []).map((port) => [portKey(port), port.nodePort]));
  const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) {
    const before = byKey.get(portKey(port));
    if (!port.nodePort && before && !used.has(before)) port.nodePort = before;
  }
}

/**
 * Drops what only the old type had, where the client left it as it was: so that changing `type` alone is enough.
 * Source: dropTypeDependentFields.
 */
export function dropTypeDependentFields(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  if (needsClusterIp(old) && !needsClusterIp(spec)) dropUnchanged(spec, old, ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']);
  if (needsNodePorts(old) && !needsNodePorts(spec)) {
    const same = (spec.ports ?? []).every((port) =>
      (old.ports ?? []).some((before) => portKey(before) === portKey(port) && before.nodePort === port.nodePort),
    );
    if (same) for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(spec)) dropUnchanged(spec, old, ['healthCheckNodePort']);
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer')
    dropUnchanged(spec, old, ['allocateLoadBalancerNodePorts', 'loadBalancerClass']);
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec)) dropUnchanged(spec, old, ['externalTrafficPolicy']);
  if (needsClusterIp(old) && !needsClusterIp(spec)) dropUnchanged(spec, old, ['internalTrafficPolicy']);
}

function dropUnchanged(spec: Draft<ServiceSpec>, old: ServiceSpec, fields: readonly (keyof ServiceSpec)[]): void {
  for (const field of fields) if (JSON.stringify(spec[field]) === JSON.stringify(old[field])) delete spec[field];
}
