import type { Service, ServicePort } from '@orrery/api/core/v1';
import { type Family, familyOf, familyOfCidr } from './addresses.ts';
import type { EndpointsByPort } from './endpoint.ts';
import { type NodePlace, type ReachableEndpoints, reachable, type WantedEndpoints } from './topology.ts';

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/** One port of a Service in one family, with all that a proxy has to know to serve it. */
export interface ProxyPort {
  readonly namespace: string;
  readonly service: string;
  /** Empty for the only port of a Service. */
  readonly portName: string;
  readonly family: Family;
  readonly protocol: Protocol;
  readonly clusterIp: string;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  /** `externalIPs`. */
  readonly externalIps: readonly string[];
  /** Of the load balancer, but those that answer for themselves (ipMode Proxy, KEP-1860). */
  readonly loadBalancerIps: readonly string[];
  /** CIDRs that may use the load balancer's addresses; empty: all. */
  readonly sourceRanges: readonly string[];
  /** How long one client stays with one endpoint; undefined without affinity. */
  readonly affinitySeconds: number | undefined;
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  readonly endpoints: ReachableEndpoints;
}

/** `default/web:http`, as in messages. */
export const portTitle = ({ namespace, service, portName }: ProxyPort): string =>
  `${namespace}/${service}${portName === '' ? '' : `:${portName}`}`;

/** Whether a proxy serves the Service at all: headless ones and names elsewhere are DNS alone. Source: ShouldSkipService. */
export const isProxied = ({ metadata, spec }: Service): boolean =>
  spec.type !== 'ExternalName' &&
  (spec.clusterIP ?? '') !== '' &&
  spec.clusterIP !== 'None' &&
  metadata.labels?.['service.kubernetes.io/service-proxy-name'] === undefined;

/** Every port of the Service in one family; none when it has no address of that family. */
export function proxyPorts(service: Service, family: Family, endpoints: EndpointsByPort, place: NodePlace): readonly ProxyPort[] {
  if (!isProxied(service)) return [];
  const { spec } = service;
  const clusterIp = [...(spec.clusterIPs ?? []), spec.clusterIP ?? ''].find((ip) => familyOf(ip) === family);
  if (clusterIp === undefined) return [];
  const common = commonOf(service, family, clusterIp);
  return (spec.ports ?? []).map((port) => ({
    ...common,
    ...numbersOf(port),
    endpoints: reachable(endpoints.get(port.name ?? '') ?? [], wantedOf(service, common), place),
  }));
}

type Common = Omit<ProxyPort, 'endpoints' | 'port' | 'portName' | 'protocol' | 'nodePort'>;

function commonOf({ metadata, spec, status }: Service, family: Family, clusterIp: string): Common {
  const inFamily = (addresses: readonly string[]): readonly string[] => addresses.filter((ip) => familyOf(ip) === family);
  const balanced = spec.type === 'LoadBalancer' ? (status?.loadBalancer?.ingress ?? []) : [];
  return {
    namespace: metadata.namespace ?? '',
    service: metadata.name,
    family,
    clusterIp,
    externalIps: inFamily(spec.externalIPs ?? []),
    loadBalancerIps: inFamily(balanced.filter(({ ipMode = 'VIP' }) => ipMode === 'VIP').map(({ ip = '' }) => ip)),
    sourceRanges: (spec.loadBalancerSourceRanges ?? []).map((cidr) => cidr.trim()).filter((cidr) => familyOfCidr(cidr) === family),
    affinitySeconds: spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined,
    internalLocal: spec.internalTrafficPolicy === 'Local',
    externalLocal: spec.externalTrafficPolicy === 'Local',
  };
}

type Numbers = Pick<ProxyPort, 'portName' | 'port' | 'nodePort' | 'protocol'>;

function numbersOf({ name = '', port, nodePort = 0, protocol = 'TCP' }: ServicePort): Numbers {
  return { portName: name, port, nodePort, protocol: protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP' };
}

/** Source: UsesClusterEndpoints, UsesLocalEndpoints, ExternallyAccessible. */
function wantedOf({ spec }: Service, { internalLocal, externalLocal, externalIps }: Common): WantedEndpoints {
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer' || externalIps.length > 0;
  // Under externalTrafficPolicy Local pods and the node itself still go anywhere, so the endpoints of the cluster are needed as well.
  return { cluster: !internalLocal || external, local: internalLocal || (external && externalLocal) };
}
