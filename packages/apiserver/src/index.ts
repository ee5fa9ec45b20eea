export type * from './admission.ts';
export * from './definition.ts';
export type * from './handler.ts';
