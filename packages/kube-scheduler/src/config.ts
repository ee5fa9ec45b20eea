/** One scheduler name and its plugins. Names as in KubeSchedulerConfiguration. */
export interface ProfileConfig {
  /** @default 'default-scheduler' */
  readonly schedulerName?: string;
  /** Plugins of the default profile to leave out; `*` for all. */
  readonly disabled?: readonly string[];
  /** Plugins to add, or default ones with another weight. */
  readonly enabled?: readonly { readonly name: string; readonly weight?: number }[];
  /** Arguments by plugin name. */
  readonly pluginConfig?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Overrides the scheduler's. */
  readonly percentageOfNodesToScore?: number;
}

export interface SchedulerConfig {
  /** All share one queue, so all must order it in the same way. @default the default profile */
  readonly profiles: readonly ProfileConfig[];
  /** Nodes that fit, in percent of all, after which the search ends; 0: fewer the larger the cluster, never under 100 nodes. @default 0 */
  readonly percentageOfNodesToScore: number;
  /** @default 1 s */
  readonly podInitialBackoffMs: number;
  /** @default 10 s */
  readonly podMaxBackoffMs: number;
  /** @default 5 min */
  readonly podMaxInUnschedulablePodsMs: number;
  /** Pods being bound at a time; further ones wait their turn with their room taken. @default 256 */
  readonly bindingsMax: number;
}

export const DEFAULT_SCHEDULER_NAME = 'default-scheduler';

export const defaultConfig: SchedulerConfig = {
  profiles: [{}],
  percentageOfNodesToScore: 0,
  podInitialBackoffMs: 1000,
  podMaxBackoffMs: 10_000,
  podMaxInUnschedulablePodsMs: 300_000,
  bindingsMax: 256,
};
