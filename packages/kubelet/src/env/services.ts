import type { Service } from '@orrery/api/core/v1';

export interface EnvVariable {
  readonly name: string;
  readonly value: string;
}

const envName = (name: string): string => name.toUpperCase().replaceAll('-', '_');
const hostPort = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** Docker-link style and plain variables of one Service. Source: kubelet envvars.FromServices. */
function variablesOf(service: Service): readonly EnvVariable[] {
  const ip = service.spec.clusterIP ?? '';
  const ports = service.spec.ports ?? [];
  const [first] = ports;
  if (ip === '' || ip === 'None' || first === undefined) return [];
  const prefix = envName(service.metadata.name);
  const named = ports.filter(({ name }) => name !== undefined && name !== '');
  const links = ports.flatMap(({ port, protocol = 'TCP' }, index): readonly EnvVariable[] => {
    const url = `${protocol.toLowerCase()}://${hostPort(ip, port)}`;
    const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    return [
      ...(index === 0 ? [{ name: `${prefix}_PORT`, value: url }] : []),
      { name: link, value: url },
      { name: `${link}_PROTO`, value: protocol.toLowerCase() },
      { name: `${link}_PORT`, value: String(port) },
      { name: `${link}_ADDR`, value: ip },
    ];
  });
  return [
    { name: `${prefix}_SERVICE_HOST`, value: ip },
    { name: `${prefix}_SERVICE_PORT`, value: String(first.port) },
    ...named.map(({ name = '', port }) => ({ name: `${prefix}_SERVICE_PORT_${envName(name)}`, value: String(port) })),
    ...links,
  ];
}

const isMaster = ({ metadata }: Service): boolean => metadata.namespace === 'default' && metadata.name === 'kubernetes';

/** `services`, with the API server's own Service at another address. */
export function withApiServer(services: readonly Service[], { host, port }: { readonly host: string; readonly port: number }) {
  const metadata = { name: 'kubernetes', namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' };
  const spec = { clusterIP: host, ports: [{ name: 'https', port, protocol: 'TCP' }] };
  const master: Service = { apiVersion: 'v1', kind: 'Service', metadata, spec, status: {} };
  return [...services.filter((service) => !isMaster(service)), master];
}

/**
 * The service variables of a pod in `namespace`: the API server's always, those of its own namespace when service links are on.
 * Where both have a Service of one name, the pod's own namespace wins. Source: kubelet getServiceEnvVarMap.
 */
export function serviceVariables(services: readonly Service[], namespace: string, enableServiceLinks: boolean): readonly EnvVariable[] {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const own = service.metadata.namespace === namespace;
    if (own && enableServiceLinks) chosen.set(service.metadata.name, service);
    else if (isMaster(service) && !chosen.has(service.metadata.name)) chosen.set(service.metadata.name, service);
  }
  return [...chosen.values()].flatMap(variablesOf);
}
