export * from './cacher/index.ts';
export { newMemoryStore } from './engines/memory/memory-store.ts';
export * from './store.ts';
