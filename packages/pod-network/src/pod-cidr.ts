import { nodes } from '@orrery/api';
import type { Node } from '@orrery/api/core/v1';
import type { Clock } from '@orrery/base';
import { type Client, waitFor } from '@orrery/client';

/** A node's ranges, the main one first; empty before it was given any. */
export const podCidrsOf = (node: Node | undefined): readonly string[] => {
  const { podCIDR, podCIDRs } = node?.spec ?? {};
  if (podCIDRs !== undefined && podCIDRs.length > 0) return podCIDRs;
  return podCIDR === undefined || podCIDR === '' ? [] : [podCIDR];
};

/** Waits until the controller `node-ipam` has given the node its ranges. @throws the signal's reason; the server's StatusError */
export async function waitForPodCidr(
  client: Pick<Client, 'list' | 'watch'>,
  nodeName: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const node = await waitFor(client, nodes, { name: nodeName }, (found) => podCidrsOf(found).length > 0, { clock, signal });
  return podCidrsOf(node);
}
