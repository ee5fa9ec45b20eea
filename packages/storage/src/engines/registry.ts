import type { Clock } from '@orrery/base';
import type { Store } from '../store.ts';
import { openLmdbStore } from './lmdb/lmdb-store.ts';
import { newMemoryStore } from './memory/memory-store.ts';

export interface EngineOptions {
  /** Where a durable engine keeps its data; the others ignore it. */
  readonly directory: string;
  readonly clock: Clock;
}

export interface Engine {
  /** As it is called in options and documentation. */
  readonly name: string;
  /** What was acknowledged is there after a crash. */
  readonly durable: boolean;
  open(options: EngineOptions): Promise<Store>;
}

/** Every engine. Adding one: its folder beside these, and a line here; the conformance suite then runs over it. */
export const engines: readonly Engine[] = [
  { name: 'memory', durable: false, open: async ({ clock }) => newMemoryStore({ clock }) },
  { name: 'lmdb', durable: true, open: openLmdbStore },
];
