import type { ProxyEndpoint } from './endpoint.ts';

/** Where this node stands. */
export interface NodePlace {
  readonly nodeName: string;
  /** Label `topology.kubernetes.io/zone`; empty when the node has none. */
  readonly zone: string;
}

/** What a port's traffic may need: endpoints anywhere, endpoints of this node, or both. */
export interface WantedEndpoints {
  readonly cluster: boolean;
  readonly local: boolean;
}

export interface ReachableEndpoints {
  /** For traffic under policy Cluster. */
  readonly cluster: readonly ProxyEndpoint[];
  /** For traffic under policy Local. */
  readonly local: readonly ProxyEndpoint[];
  /** Whether any node has an endpoint: where there is none at all traffic is refused, where this node alone has none it is dropped. */
  readonly anywhere: boolean;
}

/**
 * Which endpoints traffic may go to. Ready ones; where no endpoint is ready those that still serve while they terminate (KEP-1669); of
 * policy Cluster only the near ones that hints ask for (KEP-2433, KEP-3015). Source: CategorizeEndpoints.
 */
export function reachable(endpoints: readonly ProxyEndpoint[], wanted: WantedEndpoints, place: NodePlace): ReachableEndpoints {
  const cluster = wanted.cluster ? clusterEndpoints(endpoints, place) : [];
  const local = wanted.local ? readyOrTerminating(endpoints.filter(({ isLocal }) => isLocal)) : [];
  const anywhere = cluster.length > 0 || local.length > 0 || readyOrTerminating(endpoints).length > 0;
  return { cluster, local, anywhere };
}

function clusterEndpoints(endpoints: readonly ProxyEndpoint[], place: NodePlace): readonly ProxyEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.length === 0 ? readyOrTerminating(endpoints) : nearest(ready, place);
}

function readyOrTerminating(endpoints: readonly ProxyEndpoint[]): readonly ProxyEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : endpoints.filter(({ serving, terminating }) => serving && terminating);
}

/** Hints count only when every ready endpoint has them, and at least one is for here. Source: topologyModeFromHints. */
function nearest(ready: readonly ProxyEndpoint[], { nodeName, zone }: NodePlace): readonly ProxyEndpoint[] {
  if (ready.every(({ nodeHints }) => nodeHints.length > 0)) {
    const here = ready.filter(({ nodeHints }) => nodeHints.includes(nodeName));
    if (here.length > 0) return here;
  }
  if (zone !== '' && ready.every(({ zoneHints }) => zoneHints.length > 0)) {
    const here = ready.filter(({ zoneHints }) => zoneHints.includes(zone));
    if (here.length > 0) return here;
  }
  return ready;
}
