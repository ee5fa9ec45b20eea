import type { Machine } from '../machine.ts';

/** Lets packets of 127.0.0.1 leave by other devices, as node ports there need. False when that is not allowed. */
export async function allowLocalhostRouting(machine: Machine): Promise<boolean> {
  const name = 'net/ipv4/conf/all/route_localnet';
  return (await machine.readSysctl(name)) === '1' || (await machine.writeSysctl(name, '1'));
}

/** Whether packets between ports of a bridge pass nftables, so that answers find their way back. False also without br_netfilter. */
export const bridgesFilter = async (machine: Machine): Promise<boolean> =>
  (await machine.readSysctl('net/bridge/bridge-nf-call-iptables')) === '1';

/**
 * Makes Service addresses reachable from this machine itself also where it has no default route: its own packets are translated only
 * after they were given a route.
 * @throws Error when the device is not there (yet).
 */
export async function routeServices(machine: Machine, cidr: string, device: string, source: string | undefined): Promise<void> {
  const family = cidr.includes(':') ? '-6' : '-4';
  const { code, stderr } = await machine.run('ip', [
    ...[family, 'route', 'replace', cidr, 'dev', device],
    ...(source === undefined ? [] : ['src', source]),
  ]);
  if (code !== 0) throw new Error(`ip route replace ${cidr} dev ${device}: ${stderr.trim()}`);
}
