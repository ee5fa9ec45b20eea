/** What travels between the server and the page, as JSON. Only what the page draws: never credentials, never whole objects. */

export type PodState = 'running' | 'starting' | 'pending' | 'failing' | 'failed' | 'succeeded' | 'terminating' | 'unknown';

interface ViewBase {
  /** Unique among all clusters of the page. */
  readonly id: string;
  /** Index in {@link Hello.clusters}. */
  readonly cluster: number;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
}

export interface ContainerView {
  readonly name: string;
  readonly image: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** As `Running`, `CrashLoopBackOff`, `Completed`. */
  readonly state: string;
  readonly init?: true;
}

export interface PodView extends ViewBase {
  readonly kind: 'pod';
  readonly namespace: string;
  /** Empty until scheduled. */
  readonly node: string;
  readonly state: PodState;
  /** What kubectl shows as status: `Running`, `CrashLoopBackOff`, `Init:0/1`. */
  readonly reason: string;
  /** Why, in the cluster's own words, where it says. */
  readonly message: string;
  readonly phase: string;
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
  readonly ip: string;
  /** Id of the controlling owner; empty for none. */
  readonly owner: string;
  readonly containers: readonly ContainerView[];
}

export interface NodeView extends ViewBase {
  readonly kind: 'node';
  readonly ready: boolean;
  /** `Ready`, `NotReady`, `Unknown`, with `,SchedulingDisabled` when cordoned; as kubectl. */
  readonly status: string;
  readonly message: string;
  /** Allocatable. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly pods: number;
  readonly version: string;
  readonly address: string;
}

export type WorkloadKind = 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet' | 'Job';

export interface WorkloadView extends ViewBase {
  readonly kind: 'workload';
  readonly type: WorkloadKind;
  readonly namespace: string;
  readonly desired: number;
  readonly ready: number;
  /** Pods of the newest template; for kinds that do not tell, those that there are. */
  readonly updated: number;
  readonly owner: string;
  readonly message: string;
}

export type View = PodView | NodeView | WorkloadView;

export interface ClusterHello {
  readonly name: string;
  /** Set when the page shows one namespace alone. */
  readonly namespace: string;
  /** True when what is shown is one run that may be stopped as a whole. */
  readonly stoppable: boolean;
}

export interface Hello {
  readonly type: 'hello';
  readonly title: string;
  readonly clusters: readonly ClusterHello[];
}

/** How a cluster is doing, as far as this program can reach it. */
export interface ClusterState {
  readonly reachable: boolean;
  /** Kubernetes version; empty until known. */
  readonly version: string;
  /** One line for each thing that cannot be shown, and why. */
  readonly problems: readonly string[];
  readonly metrics: 'unknown' | 'served' | 'absent';
}

export interface StateMessage {
  readonly type: 'state';
  readonly cluster: number;
  readonly state: ClusterState;
}

export interface Batch {
  readonly type: 'batch';
  /** The server's time. */
  readonly nowMs: number;
  /** True for the first part of a whole picture: forget everything before. */
  readonly reset?: true;
  /** True for the last part of a whole picture. */
  readonly whole?: true;
  readonly changed: readonly View[];
  readonly gone: readonly string[];
}

/** CPU in millicores, memory in bytes. */
export type Usage = readonly [cpuMilli: number, memoryBytes: number];

export interface Sample {
  readonly type: 'sample';
  readonly cluster: number;
  readonly atMs: number;
  /** By node name. */
  readonly nodes: Readonly<Record<string, Usage>>;
  /** By `namespace/name`; absent in samples of the past. */
  readonly pods?: Readonly<Record<string, Usage>>;
}

export type Message = Hello | StateMessage | Batch | Sample;

export type Action =
  | { readonly action: 'scale'; readonly cluster: number; readonly id: string; readonly replicas: number }
  | { readonly action: 'restart'; readonly cluster: number; readonly id: string }
  | { readonly action: 'delete'; readonly cluster: number; readonly id: string }
  | { readonly action: 'stop'; readonly cluster: number };

export interface ActionResult {
  readonly ok: boolean;
  /** What was done, or why not: for people. */
  readonly message: string;
}

/** The page asks with this header beside its cookie: cookies are shared by all ports of a host, this is not. */
export const KEY_HEADER = 'x-orrery-key';
