import type { ProxyPort } from './model/service-port.ts';

/** By key of the Service (`namespace/name`): its ports, none when it is gone or not to be proxied. */
export type ProxyChanges = ReadonlyMap<string, readonly ProxyPort[]>;

/** How a node carries traffic to Services. Calls never overlap. */
export interface ProxyBackend {
  /** Serves exactly these. The first call, and the one after any that failed. */
  replaceAll(services: ProxyChanges, signal: AbortSignal): Promise<void>;
  /** Serves these Services as they are now, and all others as before. */
  change(changes: ProxyChanges, signal: AbortSignal): Promise<void>;
  /** Lets go of what cannot outlive the process. */
  close(): Promise<void>;
}
