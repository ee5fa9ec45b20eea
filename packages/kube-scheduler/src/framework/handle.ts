import type { Pod } from '@orrery/api/core/v1';
import type { PodDisruptionBudget } from '@orrery/api/policy/v1';
import type { ParsedLabelSelector } from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/base';
import type { Client, EventRecorder, Lister } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { NamespaceLabels } from '../cache/affinity-term.ts';
import type { NodeInfo } from '../cache/node-info.ts';
import type { PodInfo } from '../cache/pod-info.ts';
import type { ClusterView } from '../cache/snapshot.ts';
import type { CycleState } from './cycle-state.ts';
import type { Nominator } from './nominator.ts';
import type { Verdict } from './status.ts';
import type { VolumeView } from './volumes.ts';
import type { WaitingPods } from './waiting-pods.ts';

/** What plugins may use of the scheduler. */
export interface Handle {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: EventRecorder;
  /** Current during a scheduling cycle; stale between cycles. */
  readonly cluster: ClusterView;
  readonly nominator: Nominator;
  readonly waiting: WaitingPods;
  readonly pods: Pick<Lister<Pod>, 'get'>;
  readonly volumes: VolumeView;
  readonly namespaceLabels: NamespaceLabels;
  /** Selects the pods that belong with `pod`: those of the same Services and owner. Undefined: it stands alone. */
  siblings(pod: PodInfo): ParsedLabelSelector | undefined;
  disruptionBudgets(): readonly PodDisruptionBudget[];
  /** Runs the profile's filters as if pods nominated to the node, of no lower priority, were there already. */
  fits(state: CycleState, pod: PodInfo, node: NodeInfo): Verdict;
  /** Tells the profile's plugins; see `Plugin.addPod`. */
  tryAdd(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  tryRemove(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  /** Tries the pod again now, whatever it waits for. */
  activate(uid: string): void;
}
