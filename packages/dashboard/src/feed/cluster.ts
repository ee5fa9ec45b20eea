import type { Transport } from '@orrery/client';

/** One cluster of the page. */
export interface DashboardCluster {
  /** Shown to people: the context's name. */
  readonly name: string;
  /** Owned by the caller, who closes it after the dashboard. */
  readonly transport: Transport;
  /** Label selector of pods and workloads, as of one run. @default everything */
  readonly selector?: string | undefined;
  /** Shows one namespace alone. @default every namespace */
  readonly namespace?: string | undefined;
  /** Stops what is shown as a whole; with it the page has a button for that. */
  readonly stop?: (() => Promise<void>) | undefined;
}
