import type { Clock, Random } from '@orrery/base';
import type { Client, EventRecorder, InformerFactory } from '@orrery/client';
import type { KeyPair, Logger } from '@orrery/component';
import type { ControllerMetrics } from '@orrery/controller';

/** What may be set. Names and defaults as kube-controller-manager's flags. */
export interface ControllerManagerConfig {
  /** PEM of the cluster's authority, published as ConfigMap kube-root-ca.crt in every namespace; absent: not published. */
  readonly rootCa?: string | undefined;
  /** Signs certificates of approved requests; absent: nothing is signed. */
  readonly signingAuthority?: KeyPair | undefined;
  /** Signs what a token in a Secret says; absent: such Secrets are left alone. */
  readonly signToken?: ((claims: object) => string) | undefined;
  /** Objects of one kind in work at a time. @default 5 */
  readonly concurrentSyncs: number;
  /** Objects that the garbage collector looks at at a time. @default 20: `--concurrent-gc-syncs` */
  readonly concurrentGcSyncs: number;
  /** Namespaces that are emptied at a time. @default 10: `--concurrent-namespace-syncs` */
  readonly concurrentNamespaceSyncs: number;
  /**
   * How long a namespace stays after it was found empty, before it is looked through once more and let go: longer than a write takes that an
   * API server has admitted. @default 200; with several API servers 5000, as upstream.
   */
  readonly namespaceSettleMs: number;
  /** @default 40 s: `--node-monitor-grace-period` */
  readonly nodeMonitorGraceMs: number;
  /** @default 5 s: `--node-monitor-period` */
  readonly nodeMonitorPeriodMs: number;
  /** Terminated pods kept before the oldest are deleted. @default 12500: `--terminated-pod-gc-threshold` */
  readonly terminatedPodsMax: number;
  /** Endpoints in one EndpointSlice. @default 100: `--max-endpoints-per-slice` */
  readonly endpointsPerSliceMax: number;
  /** Ranges that nodes get their pod ranges from, one of each family, the main one first. @default none: nodes get none; `--cluster-cidr` */
  readonly clusterCidrs: readonly string[];
  /** Ranges of Services, which no node gets a part of. @default none: `--service-cluster-ip-range` */
  readonly serviceCidrs: readonly string[];
}

export const defaultConfig: ControllerManagerConfig = {
  concurrentSyncs: 5,
  concurrentGcSyncs: 20,
  concurrentNamespaceSyncs: 10,
  namespaceSettleMs: 200,
  clusterCidrs: [],
  endpointsPerSliceMax: 100,
  nodeMonitorGraceMs: 40_000,
  nodeMonitorPeriodMs: 5000,
  serviceCidrs: [],
  terminatedPodsMax: 12_500,
};

/** What every controller is made from. */
export interface ControllerContext {
  readonly client: Client;
  /** Shared by all: each resource is listed, watched and held once. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: ControllerMetrics | undefined;
  readonly config: ControllerManagerConfig;
  /** The recorder of events that a controller of this name makes; closed with the manager. */
  recorderFor(component: string): EventRecorder;
}
