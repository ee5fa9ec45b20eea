export * from './cacher/index.ts';
export { type LmdbStoreOptions, openLmdbStore } from './engines/lmdb/lmdb-store.ts';
export { newMemoryStore } from './engines/memory/memory-store.ts';
export { type Engine, type EngineOptions, engines } from './engines/registry.ts';
export * from './store.ts';
