import type { Service, ServicePort, ServiceSpec } from '@orrery/api/core/v1';
import type { Endpoint, EndpointSlice } from '@orrery/api/discovery/v1';
import type { NewObject } from '@orrery/apimachinery';

export const testService = (name: string, clusterIp: string, ports: readonly ServicePort[], spec: ServiceSpec = {}) =>
  ({
    metadata: { namespace: 'default', name },
    spec: { clusterIP: clusterIp, clusterIPs: [clusterIp], ports, ...spec },
  }) satisfies NewObject<Service>;

/** Ready endpoints of node `here`, unless they say otherwise. */
export const testSlice = (service: string, port: number, endpoints: readonly (string | Endpoint)[], extra: Partial<EndpointSlice> = {}) =>
  ({
    addressType: 'IPv4',
    ports: [{ name: '', port, protocol: 'TCP' }],
    endpoints: endpoints.map((endpoint) =>
      typeof endpoint === 'string' ? { addresses: [endpoint], conditions: { ready: true }, nodeName: 'here' } : endpoint,
    ),
    ...extra,
    metadata: { namespace: 'default', name: `${service}-1`, labels: { 'kubernetes.io/service-name': service }, ...extra.metadata },
  }) satisfies NewObject<EndpointSlice>;
