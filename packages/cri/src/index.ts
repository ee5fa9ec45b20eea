export type * from './generated/cri-v1.ts';
export type { HostPort, NetworkRequest, PodAttachment, PodNetwork } from './pod-network.ts';
export type * from './runtime.ts';
export * from './runtime-error.ts';
