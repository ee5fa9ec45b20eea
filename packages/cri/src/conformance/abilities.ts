import type { Runtime } from '../runtime.ts';
import type { ConformanceRegistry } from './registry.ts';

/** What a driver can do. What it cannot is not registered as a test, so that nothing counts as skipped. */
export interface RuntimeAbilities {
  /** Images are pulled, and their files are the container's root. */
  readonly images: boolean;
  /** Containers have processes, host name, sysctls and network of their own. */
  readonly isolation: boolean;
  /** CPU and memory limits hold, and containers see them. */
  readonly limits: boolean;
  /** Users, groups and capabilities can be chosen. */
  readonly users: boolean;
  /** Host ports lead to other ports of a pod. */
  readonly hostPorts: boolean;
  /** Pods can have users of their own (`hostUsers: false`). */
  readonly userNamespaces: boolean;
  /** Mounts made on one side appear on the other, as `propagation` says. */
  readonly propagation: boolean;
  /** The stream of container events exists. */
  readonly events: boolean;
  /** Lists of images are filtered by name. */
  readonly filtersImages: boolean;
  /** An aborted exec ends its process. */
  readonly abortsExec: boolean;
}

/** What all tests of one driver share. */
export interface RuntimeHost {
  readonly registry: ConformanceRegistry;
  /** Opens the driver on `directory`; opening it again on the same one takes up what runs. */
  open(directory: string): Promise<Runtime>;
  /** Where host ports are reached. @default 127.0.0.1 */
  readonly hostAddress?: string;
  /** Also after a failed test. The registry's too. */
  close(): Promise<void>;
}

/** One driver under test. */
export interface RuntimeFactory {
  readonly abilities: RuntimeAbilities;
  start(): Promise<RuntimeHost>;
}
