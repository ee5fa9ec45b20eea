import type { Pod } from '@orrery/api/core/v1';

/** A port of the machine that a container wants for itself. */
export interface HostPort {
  /** `0.0.0.0` for every address. */
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

const everyAddress = '0.0.0.0';
const none: readonly HostPort[] = [];

export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  let found: HostPort[] | undefined;
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  for (const { ports } of [...(spec.containers ?? []), ...sidecars]) {
    for (const { hostPort = 0, hostIP = '', protocol = 'TCP' } of ports ?? []) {
      if (hostPort <= 0) continue;
      found ??= [];
      found.push({ ip: hostIP === '' ? everyAddress : hostIP, protocol, port: hostPort });
    }
  }
  return found ?? none;
}

/** Two wants collide when port and protocol agree and the addresses meet. */
export const collide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === everyAddress || b.ip === everyAddress);
