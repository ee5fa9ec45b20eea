export { cleanUpKubeProxy } from './clean-up.ts';
export { detectProxyMode, newKubeProxy } from './kube-proxy.ts';
export type { KubeProxy, KubeProxyOptions, ProxyMode } from './options.ts';
