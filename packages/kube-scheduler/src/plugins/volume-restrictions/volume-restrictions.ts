import type { PodInfo } from '../../cache/pod-info.ts';
import { action } from '../../framework/cluster-event.ts';
import { newStateKey } from '../../framework/cycle-state.ts';
import type { Handle } from '../../framework/handle.ts';
import type { Plugin } from '../../framework/plugin.ts';
import { skip, unresolvable, unschedulable } from '../../framework/status.ts';
import { podClaims } from '../../framework/volumes.ts';

export const ACCESS_MODE_CONFLICT_REASON = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode';
const rejected = unschedulable(ACCESS_MODE_CONFLICT_REASON);

class Conflicts {
  readonly names: ReadonlySet<string>;
  readonly namespace: string;
  /** Uses of the pod's claims by pods on nodes; preemption changes it. */
  count: number;
  constructor(namespace: string, names: ReadonlySet<string>, count: number) {
    this.namespace = namespace;
    this.names = names;
    this.count = count;
  }
  clone(): Conflicts {
    return new Conflicts(this.namespace, this.names, this.count);
  }
  usesOf({ pod }: PodInfo): number {
    if (pod.metadata.namespace !== this.namespace) return 0;
    return podClaims(pod).filter(({ name }) => this.names.has(name)).length;
  }
}

const conflictsKey = newStateKey<Conflicts>('VolumeRestrictions/conflicts');

/** A claim of mode ReadWriteOncePod is for one pod at a time, in the whole cluster. Source: KEP-2485. */
export function newVolumeRestrictions({ volumes }: Handle): Plugin {
  return {
    name: 'VolumeRestrictions',
    eventsToRegister: () => [
      { resource: 'AssignedPod', actions: action.delete },
      { resource: 'PersistentVolumeClaim', actions: action.add | action.update },
    ],
    preFilter(state, { pod }, cluster) {
      const namespace = pod.metadata.namespace ?? '';
      const names = new Set<string>();
      for (const { name } of podClaims(pod)) {
        const claim = volumes.claim(namespace, name);
        if (claim === undefined) return unresolvable(`persistentvolumeclaim "${name}" not found`);
        if (claim.spec?.accessModes?.includes('ReadWriteOncePod')) names.add(name);
      }
      if (names.size === 0) return skip;
      const conflicts = new Conflicts(namespace, names, 0);
      for (const node of cluster.nodes) for (const other of node.pods) conflicts.count += conflicts.usesOf(other);
      state.write(conflictsKey, conflicts);
      return undefined;
    },
    addPod(state, _pod, other) {
      const conflicts = state.read(conflictsKey);
      if (conflicts !== undefined) conflicts.count += conflicts.usesOf(other);
    },
    removePod(state, _pod, other) {
      const conflicts = state.read(conflictsKey);
      if (conflicts !== undefined) conflicts.count -= conflicts.usesOf(other);
    },
    filter: (state) => ((state.read(conflictsKey)?.count ?? 0) > 0 ? rejected : undefined),
  };
}
