import type { Container, Pod, Service, ServicePort } from '@orrery/api/core/v1';

/** A port of a service as one pod serves it. */
export interface ServedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

/** The service's ports that `pod` has. A named port has the number that the pod gives it; one that it lacks is left out. */
export function portsOf({ spec }: Service, pod: Pod): readonly ServedPort[] {
  return (spec?.ports ?? []).flatMap((servicePort) => {
    const port = findPort(pod, servicePort);
    if (port === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    return [{ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

/** The number behind `targetPort`; undefined when no container, nor sidecar, has a port of that name and protocol. Source: FindPort. */
export function findPort({ spec }: Pod, { port, targetPort = port, protocol = 'TCP' }: ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const containers: readonly Container[] = [...(spec?.containers ?? []), ...sidecars];
  return containers
    .flatMap(({ ports = [] }) => ports)
    .find((candidate) => candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol)?.containerPort;
}
