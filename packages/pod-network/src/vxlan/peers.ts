import type { Node } from '@orrery/api/core/v1';
import { parseIp } from '@orrery/apimachinery';
import { podCidrsOf } from '../pod-cidr.ts';

/** Written by each node's agent on its own Node. */
export const VTEP_MAC_ANNOTATION = 'network.orrery.dev/vtep-mac';
/** Where the node takes VXLAN packets. */
export const VTEP_ADDRESS_ANNOTATION = 'network.orrery.dev/vtep-address';

/** How another node's pods are reached. */
export interface Peer {
  readonly mac: string;
  readonly address: string;
  readonly podCidrs: readonly string[];
}

/** Undefined for a node that is not ready for it, or whose annotations are not what an agent writes. */
export function peerOf(node: Node): Peer | undefined {
  const annotations = node.metadata.annotations ?? {};
  const mac = annotations[VTEP_MAC_ANNOTATION] ?? '';
  const address = annotations[VTEP_ADDRESS_ANNOTATION] ?? '';
  const podCidrs = podCidrsOf(node);
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) || parseIp(address) === undefined || podCidrs.length === 0) return undefined;
  return { mac, address, podCidrs };
}
