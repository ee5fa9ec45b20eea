export type * from './client.ts';
export * from './new-client.ts';
export type * from './transport.ts';
