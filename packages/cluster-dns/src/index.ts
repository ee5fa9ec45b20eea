export { type ClusterDns, type ClusterDnsOptions, newClusterDns } from './cluster-dns.ts';
export { type Upstream, upstreamsOf } from './forward/resolv-conf.ts';
export { ensureKubeDns, KUBE_DNS, type KubeDnsOptions, kubeDnsSliceName } from './kube-dns.ts';
export type { ListenAddress } from './server/listen-address.ts';
