import { type InstanceNames, netnsPath } from '../names.ts';
import { withInput } from '../shell/shell.ts';
import { macOf, type NodeRanges } from './node-ranges.ts';

export interface LinkInput {
  readonly names: InstanceNames;
  readonly node: NodeRanges;
  readonly mtu: number;
}

/** A pod to be joined. */
export interface PodLink {
  readonly sandboxId: string;
  readonly slot: number;
  /** The process whose network namespace becomes the pod's. @default a new one */
  readonly netnsOf?: number;
}

const hostBits = (address: string): number => (address.includes(':') ? 128 : 32);
const noDad = (address: string): string => (address.includes(':') ? ' nodad' : '');

/** A shell script that makes the bridge, or leaves the one that is there as it is. */
export function bridgeScript({ names, node, mtu }: LinkInput): string {
  const { bridge } = names;
  const addresses = node.ranges.map((range, index) => {
    const gateway = node.gateways[index] ?? '';
    return `ip addr replace ${gateway}/${range.prefixLength} dev ${bridge}${noDad(gateway)}`;
  });
  return [
    `ip link show ${bridge} >/dev/null 2>&1 || ip link add ${bridge} address ${bridgeMac(node)} type bridge forward_delay 0`,
    `ip link set ${bridge} mtu ${mtu} up`,
    ...addresses,
  ].join(' &&\n');
}

/** Fixed, so that it does not follow the pods that come and go. */
export const bridgeMac = (node: NodeRanges): string => {
  const [range] = node.ranges;
  return range === undefined ? '' : macOf(range, 1);
};

/** Commands of `ip -batch` that make the namespaces and links of pods. */
export function linkLines({ names, node, mtu }: LinkInput, pods: readonly PodLink[]): string[] {
  const [range] = node.ranges;
  return pods.flatMap(({ sandboxId, slot, netnsOf }) => {
    const netns = names.netns(sandboxId);
    const veth = names.veth(slot);
    const mac = range === undefined ? '' : ` address ${macOf(range, slot)}`;
    return [
      netnsOf === undefined ? `netns add ${netns}` : `netns attach ${netns} ${netnsOf}`,
      `link add ${veth} mtu ${mtu} master ${names.bridge} up type veth peer name eth0${mac} mtu ${mtu} netns ${netns}`,
      `link set ${veth} type bridge_slave hairpin on`,
    ];
  });
}

/**
 * A command that gives a pod its addresses. A pod has no neighbours: everything goes by the gateway, so that rules of the host judge also
 * what pods of one node send each other, whether or not the kernel shows bridged traffic to them.
 */
export function addressCommand({ names, node }: LinkInput, { sandboxId, slot }: PodLink): string {
  const lines = node.addressesOf(slot).flatMap((address, index) => {
    const gateway = node.gateways[index] ?? '';
    return [
      `addr add ${address}/${hostBits(address)} dev eth0${noDad(address)}`,
      `route add ${gateway} dev eth0`,
      `route add default via ${gateway} dev eth0`,
    ];
  });
  return withInput(`ip -n ${names.netns(sandboxId)} -batch -`, ['link set lo up', 'link set eth0 up', ...lines].join('\n'));
}

/** A script that ends what is there of these pods. What is gone already is no failure. */
export function unlinkScript({ names }: Pick<LinkInput, 'names'>, pods: readonly PodLink[]): string {
  // Each deletion of a link waits for the kernel's readers, 30 ms or so: a group waits once.
  const lines = [
    ...pods.map(({ slot }) => `link set ${names.veth(slot)} group ${names.doomedGroup}`),
    `link del group ${names.doomedGroup}`,
    ...pods.map(({ sandboxId }) => `netns del ${names.netns(sandboxId)}`),
  ];
  const left = pods.map(({ sandboxId }) => netnsPath(names.netns(sandboxId)));
  return [
    `${withInput('ip -force -batch - 2>/dev/null', lines.join('\n'))}`,
    `c=0; for f in ${left.join(' ')}; do [ ! -e $f ] || ip netns del "\${f##*/}" || c=1; done; [ $c = 0 ]`,
  ].join('\n');
}
