import type { Machine } from '../machine.ts';

/** Lets packets of 127.0.0.1 leave by other devices, as node ports there need. False when that is not allowed. */
export async function allowLocalhostRouting(machine: Machine): Promise<boolean> {
  const name = 'net/ipv4/conf/all/route_localnet';
  return (await machine.readSysctl(name)) === '1' || (await machine.writeSysctl(name, '1'));
}

/** Whether packets between ports of a bridge pass nftables, so that answers find their way back. False also without br_netfilter. */
export const bridgesFilter = async (machine: Machine): Promise<boolean> =>
  (await machine.readSysctl('net/bridge/bridge-nf-call-iptables')) === '1';
