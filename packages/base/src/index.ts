export type * from './clock.ts';
export type * from './random.ts';
