import type { Node, Service } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { isConditionTrue } from '@orrery/client';

const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';

export const isBalanced = ({ spec }: Service): boolean => spec.type === 'LoadBalancer' && (spec.loadBalancerClass ?? '') === '';

/** Whether a node may carry a balancer's traffic. Source: the node predicates of the service controller. */
export const mayBalance = ({ metadata, status }: Node): boolean =>
  metadata.deletionTimestamp === undefined &&
  metadata.labels?.[EXCLUDE_LABEL] === undefined &&
  isConditionTrue(status?.conditions, 'Ready');

/**
 * The addresses at which nodes answer for the Service: of each node the external ones, else the internal ones, in the Service's families.
 * Under externalTrafficPolicy Local of nodes with ready endpoints only: the others would drop what comes.
 */
export function balancedAddresses(service: Service, nodes: readonly Node[], slices: readonly EndpointSlice[]): readonly string[] {
  const { ipFamilies = ['IPv4'], externalTrafficPolicy } = service.spec;
  const serving = new Set(
    slices.flatMap(({ endpoints }) =>
      (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).map(({ nodeName }) => nodeName),
    ),
  );
  const chosen = nodes
    .filter((node) => mayBalance(node) && (externalTrafficPolicy !== 'Local' || serving.has(node.metadata.name)))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const addresses = chosen.flatMap(({ status }) => {
    const own = (status?.addresses ?? []).filter(({ address }) => ipFamilies.includes(address.includes(':') ? 'IPv6' : 'IPv4'));
    const external = own.filter(({ type }) => type === 'ExternalIP');
    return (external.length > 0 ? external : own.filter(({ type }) => type === 'InternalIP')).map(({ address }) => address);
  });
  return [...new Set(addresses)];
}

const portIds = ({ spec }: Service): readonly string[] => (spec.ports ?? []).map(({ protocol = 'TCP', port }) => `${protocol}/${port}`);

/** An older balanced Service that wants one of the same ports: nodes have but one set of them. */
export function portConflict(service: Service, others: readonly Service[]): { readonly owner: Service; readonly port: string } | undefined {
  const wanted = new Set(portIds(service));
  for (const owner of others) {
    if (owner.metadata.uid === service.metadata.uid || !isBalanced(owner) || !isOlder(owner, service)) continue;
    const port = portIds(owner).find((id) => wanted.has(id));
    if (port !== undefined) return { owner, port };
  }
  return undefined;
}

/** Who has the addresses already goes first, then who was there first. */
function isOlder(a: Service, b: Service): boolean {
  const has = ({ status }: Service): boolean => (status?.loadBalancer?.ingress ?? []).length > 0;
  if (has(a) !== has(b)) return has(a);
  const [first, second] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  return first === second ? a.metadata.uid < b.metadata.uid : first < second;
}

/** A port that the nodes need themselves: the kubelet's, or one where the API server or the cluster's DNS listens at a node's address. */
export function reservedPort(service: Service, nodes: readonly Node[], systemSlices: readonly EndpointSlice[]): string | undefined {
  const addresses = new Set(nodes.flatMap(({ status }) => (status?.addresses ?? []).map(({ address }) => address)));
  const kubelets = nodes.flatMap(({ status }) => {
    const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
    return port === undefined ? [] : [`TCP/${port}`];
  });
  const system = systemSlices
    .filter(({ endpoints }) => (endpoints ?? []).some((endpoint) => endpoint.addresses.some((address) => addresses.has(address))))
    .flatMap(({ ports }) => (ports ?? []).map(({ protocol = 'TCP', port }) => `${protocol}/${port}`));
  const reserved = new Set([...kubelets, ...system]);
  return portIds(service).find((id) => reserved.has(id));
}
