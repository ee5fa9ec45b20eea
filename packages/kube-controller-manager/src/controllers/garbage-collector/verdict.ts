import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import { FOREGROUND_FINALIZER, type GraphNode, hasFinalizer, ORPHAN_FINALIZER } from './graph-node.ts';
import type { Propagation } from './object-access.ts';

/** An object's owner references by what became of the owners. */
export interface ClassifiedOwners {
  /** The owner exists and stays. */
  readonly solid: readonly OwnerReference[];
  /** There is no such owner. */
  readonly dangling: readonly OwnerReference[];
  /** The owner is going in the foreground: it waits for this object, among others. */
  readonly waiting: readonly OwnerReference[];
}

export type Verdict =
  | { readonly type: 'keep' }
  /** It stays for another owner's sake; owners that are gone or going are taken off it. */
  | { readonly type: 'drop-owners'; readonly uids: readonly string[] }
  /** @property unblock - First make its references non-blocking, or a cycle of owners would wait for itself. */
  | { readonly type: 'delete'; readonly propagation: Propagation; readonly unblock: boolean };

/** Decides what becomes of an object that has owner references. Pure. Source: GarbageCollector.attemptToDeleteItem. */
export function verdictOf(latest: KubeObject, { solid, dangling, waiting }: ClassifiedOwners, dependents: Iterable<GraphNode>): Verdict {
  if (solid.length > 0) {
    const uids = [...dangling, ...waiting].map(({ uid }) => uid);
    return uids.length === 0 ? { type: 'keep' } : { type: 'drop-owners', uids };
  }
  const own = [...dependents];
  if (waiting.length > 0 && own.length > 0) {
    return { type: 'delete', propagation: 'Foreground', unblock: own.some(({ isDeletingDependents }) => isDeletingDependents) };
  }
  // A finalizer that somebody has put there already says what is wanted.
  const propagation = hasFinalizer(latest, ORPHAN_FINALIZER)
    ? 'Orphan'
    : hasFinalizer(latest, FOREGROUND_FINALIZER)
      ? 'Foreground'
      : 'Background';
  return { type: 'delete', propagation, unblock: false };
}
