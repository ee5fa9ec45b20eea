export * from './resources.ts';
export { schemas, typeTable } from './schemas.ts';
