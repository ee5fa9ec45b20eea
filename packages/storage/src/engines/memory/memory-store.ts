import type { Clock } from '@orrery/base';
import { newMvccStore } from '../../mvcc/mvcc-store.ts';
import type { Store } from '../../store.ts';
import { newMemoryBackend } from './memory-backend.ts';

/** A store in memory, gone with the process. Takes no turn of the event loop: it runs in virtual time as well. */
export const newMemoryStore = (options: { readonly clock: Clock }): Store =>
  newMvccStore({ backend: newMemoryBackend(), clock: options.clock, gather: queueMicrotask });
