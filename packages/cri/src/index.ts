export type * from './generated/cri-v1.ts';
export type * from './runtime.ts';
export * from './runtime-error.ts';
