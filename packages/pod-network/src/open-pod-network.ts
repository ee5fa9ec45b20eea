import { type BridgeNetwork, type BridgeNetworkOptions, openBridgeNetwork } from './bridge/bridge-network.ts';

export type PodNetworkOptions = BridgeNetworkOptions;

/**
 * Opens the network that pods of this node join.
 *
 * @throws PodNetworkError `Unavailable` where it cannot be made (then the node runs pods by the process driver, if at all)
 */
export const openPodNetwork = (options: PodNetworkOptions): Promise<BridgeNetwork> => openBridgeNetwork(options);
