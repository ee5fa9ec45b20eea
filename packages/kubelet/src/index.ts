export { defaultKubeletConfig, type KubeletConfig, nodeAddresses } from './config.ts';
export { type HollowNodes, type HollowNodesOptions, newHollowNodes } from './hollow/hollow-nodes.ts';
export { type HollowRuntime, type HollowRuntimeOptions, newHollowRuntime } from './hollow/hollow-runtime.ts';
export { type Kubelet, type KubeletOptions, newKubelet } from './kubelet.ts';
export type { EventSink } from './runtime/events.ts';
export type { ServerOptions as KubeletServerOptions } from './server/kubelet-server.ts';
export { type DirectoryProvisionerOptions, newDirectoryProvisioner } from './volumes/directory-provisioner.ts';
export { removeKubeletMounts } from './volumes/mounts.ts';
