import type { ProxyBackend, ProxyChanges } from './backend.ts';
import type { SyncLoop } from './sync-loop.ts';

/** A backend with what has to be done around it on this machine. */
export interface Carrier {
  readonly backend: ProxyBackend;
  /** After each write that succeeded. */
  onSynced(changes: ProxyChanges, signal: AbortSignal): Promise<void>;
  /** Watches over what others may disturb, until `signal` aborts; asks the loop to write anew. */
  keep(loop: Pick<SyncLoop, 'resync'>, signal: AbortSignal): Promise<void>;
}
