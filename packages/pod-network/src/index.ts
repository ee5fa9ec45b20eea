export type { BridgeNetwork, BridgeNetworkOptions } from './bridge/bridge-network.ts';
export { type CleanUpOptions, cleanUpNetwork } from './clean-up.ts';
export { type CniNetwork, type CniNetworkOptions, openCniNetwork } from './cni/cni-network.ts';
export { openPodNetwork, type PodNetworkOptions } from './open-pod-network.ts';
export { waitForPodCidr } from './pod-cidr.ts';
export { PodNetworkError, type PodNetworkErrorCode } from './pod-network-error.ts';
export { newPolicyAgent, type PolicedNetwork, type PolicyAgent, type PolicyAgentOptions } from './policy/policy-agent.ts';
export { DEFAULT_VXLAN_PORT, newVxlanAgent, type VxlanAgent, type VxlanAgentOptions } from './vxlan/vxlan-agent.ts';
