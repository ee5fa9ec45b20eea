import { isDeepStrictEqual } from 'node:util';
import { type AddressRange, parseRange } from '@orrery/apimachinery';
import type { Peer } from './peers.ts';

export interface VxlanDevice {
  readonly name: string;
  readonly vni: number;
  readonly port: number;
  readonly mac: string;
  readonly mtu: number;
  /** Of this node, on the network that joins the nodes. */
  readonly address: string;
  /** This node's gateways: the source of what the node itself sends to pods elsewhere. */
  readonly gateways: readonly string[];
}

const isV6 = (address: string): boolean => address.includes(':');
const gatewayOf = (range: AddressRange): string => range.at(1n);
const canonical = (range: AddressRange): string => `${range.at(0n)}/${range.prefixLength}`;

/** Makes the device; one that is there for the same address, number and port stays with what goes through it. */
export function deviceScript({ name, vni, port, mac, mtu, address }: VxlanDevice): string {
  return `d=$(ip -d -o link show ${name} 2>/dev/null)
case "$d" in
  *"vxlan id ${vni} local ${address} "*"dstport ${port} "*) ;;
  *) ip link del ${name} 2>/dev/null
     ip link add ${name} address ${mac} type vxlan id ${vni} local ${address} dstport ${port} nolearning ;;
esac
ip link set ${name} mtu ${mtu} up`;
}

/** What makes the way to a peer. */
export function peerLines({ name, gateways }: VxlanDevice, { mac, address, podCidrs }: Peer): string[] {
  const routes = podCidrs.flatMap((text) => {
    const range = parseRange(text);
    const source = gateways.find((gateway) => isV6(gateway) === isV6(text));
    if (source === undefined) return [];
    const next = gatewayOf(range);
    return [
      `ip neigh replace ${next} lladdr ${mac} dev ${name} nud permanent`,
      `ip route replace ${canonical(range)} via ${next} dev ${name} onlink src ${source}`,
    ];
  });
  return [`bridge fdb replace ${mac} dev ${name} dst ${address}`, ...routes];
}

/** What ends the way to a peer; what is gone already is no failure. */
export function peerEndLines({ name }: VxlanDevice, { mac, address, podCidrs }: Peer): string[] {
  const routes = podCidrs.flatMap((text) => {
    const range = parseRange(text);
    return [`ip route del ${canonical(range)} dev ${name}`, `ip neigh del ${gatewayOf(range)} dev ${name}`];
  });
  return [...routes, `bridge fdb del ${mac} dev ${name} dst ${address}`].map((line) => `${line} 2>/dev/null || :`);
}

/** The commands that lead from what is there to what is wanted, by node name. */
export function peerChange(device: VxlanDevice, old: ReadonlyMap<string, Peer>, next: ReadonlyMap<string, Peer>): string[] {
  const gone = [...old].filter(([name, peer]) => !isDeepStrictEqual(next.get(name), peer));
  const come = [...next].filter(([name, peer]) => !isDeepStrictEqual(old.get(name), peer));
  return [...gone.flatMap(([, peer]) => peerEndLines(device, peer)), ...come.flatMap(([, peer]) => peerLines(device, peer))];
}

/** Ends routes of an earlier life of the agent that lead to nobody now. */
export function staleRoutesScript({ name }: VxlanDevice, peers: Iterable<Peer>): string {
  const kept = [...peers].flatMap(({ podCidrs }) => podCidrs.map((text) => canonical(parseRange(text))));
  const pattern = kept.length === 0 ? '' : ` | grep -vxF ${kept.map((text) => `-e ${text}`).join(' ')}`;
  return `for f in -4 -6; do
  ip $f -o route show dev ${name} | cut -d' ' -f1 | grep / | grep -v '^fe80'${pattern} | while read -r r; do ip $f route del "$r" dev ${name}; done
done; :`;
}
