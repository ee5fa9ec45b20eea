import type { NodeAddress, Taint } from '@orrery/api/core/v1';
import type { ThresholdConfig } from './eviction/thresholds.ts';
import type { ResourceList } from './pod/resources.ts';
import type { ClusterDns } from './runtime/sandbox-config.ts';

/** Everything that may be set. Times in milliseconds. Names and defaults as KubeletConfiguration where it has them. */
export interface KubeletConfig extends ThresholdConfig {
  readonly podsMax: number;
  /** Replaces what the machine has, resource by resource. @default {} */
  readonly capacity: ResourceList;
  /** Kept from pods. */
  readonly reserved: ResourceList;
  /** Path of a control group that is all the kubelet's, as `/orrery-a1b2`. Absent: pods get no groups, and only their containers limits. */
  readonly cgroupRoot: string | undefined;
  /** Processes and threads of one pod. @default -1: no limit */
  readonly podPidsLimit: number;
  /** Kernel settings that pods may make beside the safe ones; `*` at the end stands for anything. @default [] */
  readonly allowedUnsafeSysctls: readonly string[];
  /** First id on the host of pods with ids of their own: a multiple of 65536. Each of `podsMax` pods may take 65536. @default 65536 */
  readonly userNamespaceFirstId: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly clusterDns: ClusterDns;
  /** Where pods' DNS settings come from when they use the node's. */
  readonly resolvConf: string;
  /** How long a pod that is evicted by a soft threshold may take to end, at most. */
  readonly evictionMaxPodGraceSeconds: number;
  /** How long the node tells of pressure after the last sign of it. */
  readonly evictionPressureTransitionMs: number;
  readonly evictionMonitorMs: number;
  /** Percent of the disk in use from which on unused images go, and down to which. 100 for the first: never. */
  readonly imageGcHighThresholdPercent: number;
  readonly imageGcLowThresholdPercent: number;
  readonly imageGcPeriodMs: number;
  readonly leaseRenewMs: number;
  readonly statusUpdateMs: number;
  readonly statusReportMs: number;
  readonly relistMs: number;
  readonly relistWithEventsMs: number;
  /** Waits between two starts of a container that keeps failing: they double. */
  readonly crashLoopBackoff: { readonly baseDelayMs: number; readonly maxDelayMs: number };
  readonly imagePullBackoff: { readonly baseDelayMs: number; readonly maxDelayMs: number };
  /** How long a status that only says that containers are being made may wait to be replaced by the next. */
  readonly pendingStatusDelayMs: number;
  /** Sandboxes and containers made at once, over all pods. */
  readonly startsMax: number;
  readonly cleanupMs: number;
  /** Of one log file, in bytes. */
  readonly logSizeBytesMax: number;
  /** Log files of one run of a container. */
  readonly logFilesMax: number;
  readonly logRotationMs: number;
  readonly kubeletVersion: string;
  /** Where pods are told that the API server is, when the address of its Service cannot be reached from them. @default the Service's */
  readonly apiServerAddress: { readonly host: string; readonly port: number } | undefined;
}

export const defaultKubeletConfig: KubeletConfig = {
  podsMax: 110,
  capacity: {},
  reserved: {},
  cgroupRoot: undefined,
  podPidsLimit: -1,
  allowedUnsafeSysctls: [],
  userNamespaceFirstId: 65_536,
  labels: {},
  taints: [],
  clusterDns: { servers: [], domain: 'cluster.local' },
  resolvConf: '/etc/resolv.conf',
  // A developer's disk is often nearly full: pressure is called when the machine is about to fail, not at upstream's 10 % and 15 %.
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '1%',
    'nodefs.inodesFree': '1%',
    'imagefs.available': '1%',
    'imagefs.inodesFree': '1%',
    'pid.available': '1%',
  },
  evictionSoft: {},
  evictionSoftGraceMs: {},
  evictionMinimumReclaim: {},
  evictionMaxPodGraceSeconds: 0,
  evictionPressureTransitionMs: 60_000, // Upstream's 5 minutes are long for who has just cleaned up.
  evictionMonitorMs: 10_000,
  imageGcHighThresholdPercent: 98,
  imageGcLowThresholdPercent: 95,
  imageGcPeriodMs: 300_000,
  leaseRenewMs: 10_000,
  statusUpdateMs: 10_000,
  statusReportMs: 300_000,
  relistMs: 1000,
  relistWithEventsMs: 10_000,
  crashLoopBackoff: { baseDelayMs: 10_000, maxDelayMs: 300_000 },
  imagePullBackoff: { baseDelayMs: 10_000, maxDelayMs: 300_000 },
  pendingStatusDelayMs: 150,
  startsMax: 8,
  cleanupMs: 60_000,
  logSizeBytesMax: 10 * 1024 * 1024,
  logFilesMax: 5,
  logRotationMs: 10_000,
  kubeletVersion: 'v1.36.0',
  apiServerAddress: undefined,
};

/** The usual addresses of a node with one IP. */
export const nodeAddresses = (internalIp: string, hostName: string): readonly NodeAddress[] => [
  { type: 'InternalIP', address: internalIp },
  { type: 'Hostname', address: hostName },
];
