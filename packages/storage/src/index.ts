export { newMemoryStore } from './engines/memory/memory-store.ts';
export * from './store.ts';
