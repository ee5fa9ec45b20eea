export { type Cluster, type ClusterOptions, type NodeOptions, startCluster } from './cluster/cluster.ts';
export { adminKubeconfig } from './cluster/user-kubeconfig.ts';
export { kubernetesVersion, orreryVersion } from './version.ts';
