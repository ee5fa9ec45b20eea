export type * from './admission.ts';
export * from './definition.ts';
export type { DiscoverySource } from './discovery/catalog.ts';
export { type DiscoveryOptions, newDiscoveryEndpoint } from './discovery/endpoint.ts';
export type * from './handler.ts';
