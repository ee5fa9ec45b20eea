export { type Cluster, type ClusterOptions, startCluster } from './cluster/cluster.ts';
export type { NodeOptions } from './cluster/node.ts';
export { adminKubeconfig } from './cluster/user-kubeconfig.ts';
export { kubernetesVersion, orreryVersion } from './version.ts';
