import type { Endpoint, EndpointSlice } from '@orrery/api/discovery/v1';

/** One address of an endpoint under the name by which it is found, with one of its ports. */
export interface EndpointRecord {
  /** The endpoint's hostname, or its address with dashes. */
  readonly hostname: string;
  readonly address: string;
  /** Absent: the slice names no ports. */
  readonly port?: number;
  /** In lower case; empty for a port without a name. */
  readonly portName: string;
  /** In lower case. */
  readonly protocol: string;
}

/** Ready as the API defines it: absent means ready. Endpoints that are published although not ready come as ready from their controller. */
export const isReadyEndpoint = ({ conditions }: Endpoint): boolean => conditions?.ready !== false;

/** `10.1.2.3` is found as `10-1-2-3`, `fd00::` as `fd00--0`: a label must not end in a dash. */
export function dashedName(address: string): string {
  const dashed = address.replaceAll('.', '-').replaceAll(':', '-');
  return dashed.endsWith('-') ? `${dashed}0` : dashed;
}

/** Every address of every ready endpoint with every port. A slice of names (`addressType: FQDN`) has no addresses. */
export function endpointRecords(slice: EndpointSlice): EndpointRecord[] {
  if (slice.addressType === 'FQDN') return [];
  const ports = slice.ports === undefined || slice.ports.length === 0 ? [{}] : slice.ports;
  return (slice.endpoints ?? []).filter(isReadyEndpoint).flatMap((endpoint) =>
    endpoint.addresses.flatMap((address) =>
      ports.map(({ name = '', port, protocol = 'TCP' }: { name?: string; port?: number; protocol?: string }) => ({
        hostname: (endpoint.hostname ?? dashedName(address)).toLowerCase(),
        address,
        ...(port === undefined ? {} : { port }),
        portName: name.toLowerCase(),
        protocol: protocol.toLowerCase(),
      })),
    ),
  );
}
