import type { Endpoint, EndpointSlice } from '@orrery/api/discovery/v1';
import { type Family, hostPort } from './addresses.ts';

/** One address and port behind a Service's port. */
export interface ProxyEndpoint {
  readonly ip: string;
  readonly port: number;
  /** On this node. */
  readonly isLocal: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

/** Endpoints by the name of the Service's port. */
export type EndpointsByPort = ReadonlyMap<string, readonly ProxyEndpoint[]>;

/** The endpoints of one family in all slices of a Service; what stands in two slices counts once. */
export function endpointsOf(slices: readonly EndpointSlice[], family: Family, nodeName: string): EndpointsByPort {
  const ports = new Map<string, Map<string, ProxyEndpoint>>();
  const ordered = [...slices].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const slice of ordered) {
    if (slice.addressType !== family) continue;
    for (const { name = '', port } of slice.ports ?? []) {
      if (port === undefined || port === 0) continue;
      const known = ports.get(name) ?? new Map<string, ProxyEndpoint>();
      ports.set(name, known);
      for (const endpoint of slice.endpoints ?? []) add(known, endpoint, port, nodeName);
    }
  }
  return new Map([...ports].map(([name, endpoints]) => [name, [...endpoints.values()].sort(byAddress)]));
}

/** Only the first address counts. Source: EndpointSlice.endpoints[].addresses. */
function add(known: Map<string, ProxyEndpoint>, endpoint: Endpoint, port: number, nodeName: string): void {
  const [ip] = endpoint.addresses;
  if (ip === undefined) return;
  const { ready = true, serving = ready, terminating = false } = endpoint.conditions ?? {};
  const id = hostPort(ip, port);
  if (known.get(id)?.ready === true && !ready) return;
  known.set(id, {
    ip,
    port,
    isLocal: endpoint.nodeName !== undefined && endpoint.nodeName === nodeName,
    ready,
    serving,
    terminating,
    zoneHints: (endpoint.hints?.forZones ?? []).map(({ name }) => name),
    nodeHints: (endpoint.hints?.forNodes ?? []).map(({ name }) => name),
  });
}

const idOf = ({ ip, port }: ProxyEndpoint): string => hostPort(ip, port);
const byAddress = (a: ProxyEndpoint, b: ProxyEndpoint): number => (idOf(a) < idOf(b) ? -1 : 1);
