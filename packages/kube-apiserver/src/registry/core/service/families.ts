import type { ServiceSpec } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';

type Spec = ServiceSpec | Draft<ServiceSpec>;

/** Of a type that gets an address of its own (it may still ask for none). */
export const needsClusterIp = ({ type }: Spec): boolean => type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer';
/** `clusterIP: None`: DNS answers with the pods' own addresses. */
export const isHeadless = ({ clusterIP, clusterIPs }: Spec): boolean => clusterIP === 'None' || clusterIPs?.[0] === 'None';
/** Reached from outside of the cluster. Source: service.ExternallyAccessible. */
export const isExternallyAccessible = ({ type, externalIPs }: Spec): boolean =>
  type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && (externalIPs ?? []).length > 0);
export const needsNodePorts = ({ type, allocateLoadBalancerNodePorts }: Spec): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
/** A load balancer asks this port of every node whether pods of the Service run there. */
export const needsHealthCheckPort = ({ type, externalTrafficPolicy }: Spec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

/** Keeps the singular and the plural field one: clients write either. Source: normalizeClusterIPs. */
export function normaliseClusterIps(spec: Draft<ServiceSpec>, old: ServiceSpec | undefined): void {
  if (old === undefined) {
    if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const { clusterIP = '', clusterIPs = [] } = spec;
  const singularSame = clusterIP === (old.clusterIP ?? '');
  const pluralSame = clusterIPs.join() === (old.clusterIPs ?? []).join();
  if (!singularSame && clusterIP === '' && (pluralSame || clusterIPs.length === 0))
    delete spec.clusterIPs; // Cleared.
  else if (!singularSame && pluralSame) spec.clusterIPs = [clusterIP];
  else if (singularSame && clusterIP !== '' && clusterIPs.length === 0 && !pluralSame) spec.clusterIPs = [...(old.clusterIPs ?? [])];
}
