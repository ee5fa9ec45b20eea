export type { AffinityTerm, WeightedTerm } from './cache/affinity-term.ts';
export type { NodeInfo } from './cache/node-info.ts';
export type { PodInfo } from './cache/pod-info.ts';
export type { ClusterView } from './cache/snapshot.ts';
export { DEFAULT_SCHEDULER_NAME, defaultConfig, type ProfileConfig, type SchedulerConfig } from './config.ts';
export { action, type ClusterEvent, type ClusterEventWithHint, type EventResource, type QueueingHint } from './framework/cluster-event.ts';
export { type CycleState, type CycleValue, newStateKey, type StateKey } from './framework/cycle-state.ts';
export type { NodeStatuses } from './framework/fit-error.ts';
export type { Handle } from './framework/handle.ts';
export {
  type NodesOnly,
  type PermitAnswer,
  type Plugin,
  type PluginFactory,
  type PostFilterResult,
  SCORE_MAX,
} from './framework/plugin.ts';
export { errorStatus, type Status, type StatusCode, skip, unresolvable, unschedulable, type Verdict } from './framework/status.ts';
export type { WaitingPod } from './framework/waiting-pods.ts';
export { newScheduler, type Scheduler, type SchedulerOptions } from './scheduler.ts';
