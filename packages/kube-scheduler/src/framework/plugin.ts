import type { NodeInfo } from '../cache/node-info.ts';
import type { PodInfo } from '../cache/pod-info.ts';
import type { ClusterView } from '../cache/snapshot.ts';
import type { ClusterEventWithHint } from './cluster-event.ts';
import type { CycleState } from './cycle-state.ts';
import type { NodeStatuses } from './fit-error.ts';
import type { Handle } from './handle.ts';
import type { Status, Verdict } from './status.ts';

/** Success, with the only nodes worth a look. */
export interface NodesOnly {
  readonly nodeNames: ReadonlySet<string>;
}

export interface PostFilterResult {
  readonly status: Status;
  /** Empty: takes an earlier nomination back. Absent: leaves it. */
  readonly nominatedNodeName?: string;
}

export interface PermitAnswer {
  readonly status: Status;
  /** For `Wait`: rejects the pod after this long. At most 15 minutes. */
  readonly timeoutMs?: number;
}

/** What orders the queue looks at. */
export interface Queued {
  readonly info: PodInfo;
  /** When it came into the queue, in milliseconds of `Clock.now`. */
  readonly timestampMs: number;
}

/**
 * A part of the scheduler's decision. It implements the extension points that it cares about, in the order below.
 *
 * From `preFilter` to `permit` everything is synchronous: the cluster does not change meanwhile. No method may change what it is given.
 * What is thrown fails the attempt as `Error`.
 */
export interface Plugin {
  /** As upstream calls it. */
  readonly name: string;
  /** What can make a pod schedulable that this plugin turned away. @default everything */
  eventsToRegister?(): readonly ClusterEventWithHint[];
  /** Keeps the pod out of the queue while it answers anything but success. */
  preEnqueue?(pod: PodInfo): Verdict;
  /** Queue order: negative when `a` is first. Exactly one plugin of a profile has it. */
  compare?(a: Queued, b: Queued): number;
  /** Once per attempt. `Skip` leaves this plugin's `filter` out. */
  preFilter?(state: CycleState, pod: PodInfo, cluster: ClusterView): Verdict | NodesOnly;
  /** Preemption tries the pod as if `other` were on `node` too: keep the state from `preFilter` true. */
  addPod?(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  removePod?(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  /** For each candidate node: must be quick. */
  filter?(state: CycleState, pod: PodInfo, node: NodeInfo): Verdict;
  /** Nothing fits: make room. The first answer other than `Unschedulable` counts. */
  postFilter?(state: CycleState, pod: PodInfo, statuses: NodeStatuses): PostFilterResult;
  /** Once, with the nodes that fit. `Skip` leaves `score` out. */
  preScore?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], cluster: ClusterView): Verdict;
  /** Higher is better. In [0, 100], or anything finite when there is `normalizeScores`. */
  score?(state: CycleState, pod: PodInfo, node: NodeInfo): number;
  /** Brings the scores of all nodes into [0, 100], in place. `scores[i]` is that of `nodes[i]`. */
  normalizeScores?(state: CycleState, pod: PodInfo, scores: number[], nodes: readonly NodeInfo[]): void;
  reserve?(state: CycleState, pod: PodInfo, nodeName: string): Verdict;
  /** After any failure past `reserve`, also where `reserve` was not reached. Must not fail. */
  unreserve?(state: CycleState, pod: PodInfo, nodeName: string): void;
  permit?(state: CycleState, pod: PodInfo, nodeName: string): PermitAnswer;
  preBind?(state: CycleState, pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<Verdict>;
  /** `Skip` hands the pod to the next plugin. */
  bind?(state: CycleState, pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<Verdict>;
  postBind?(state: CycleState, pod: PodInfo, nodeName: string): void;
}

/** Makes a plugin for one profile. @param args - The profile's arguments for it. @throws {TypeError} for bad arguments. */
export type PluginFactory = (handle: Handle, args: Readonly<Record<string, unknown>>) => Plugin;

export const SCORE_MAX = 100;
