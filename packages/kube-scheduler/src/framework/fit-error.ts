import { type Status, unresolvable } from './status.ts';

/** Why each node was turned down. */
export interface NodeStatuses {
  readonly byNode: ReadonlyMap<string, Status>;
  /** Of nodes that are not in `byNode`. */
  readonly others: Status;
}

/** Everything known about why a pod fits nowhere. */
export interface Diagnosis extends NodeStatuses {
  readonly nodeCount: number;
  /** Plugins whose `eventsToRegister` may wake the pod. */
  readonly unschedulablePlugins: ReadonlySet<string>;
  readonly pendingPlugins: ReadonlySet<string>;
  /** Of the plugin that turned the pod away for all nodes at once; empty otherwise. */
  readonly preFilterMessage: string;
}

export const noNodeStatus: Status = unresolvable();

/** As `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …`. Source: FitError.Error. */
export function fitMessage(diagnosis: Pick<Diagnosis, 'byNode' | 'others' | 'nodeCount' | 'preFilterMessage'>, postFilter: string): string {
  const { byNode, others, nodeCount, preFilterMessage } = diagnosis;
  let message = `0/${nodeCount} nodes are available:`;
  if (preFilterMessage !== '') {
    message += ` ${preFilterMessage}.`;
  } else {
    const counts = new Map<string, number>();
    const count = ({ reasons }: Status, times: number): void => {
      for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + times);
    };
    for (const status of byNode.values()) count(status, 1);
    if (byNode.size < nodeCount) count(others, nodeCount - byNode.size);
    const parts = [...counts].map(([reason, times]) => `${times} ${reason}`).sort();
    if (parts.length > 0) message += ` ${parts.join(', ')}.`;
  }
  return postFilter === '' ? message : `${message} ${postFilter}`;
}
