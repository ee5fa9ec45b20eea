import { isNotFound, type KubeObject, type OwnerReference } from '@orrery/apimachinery';
import type { AbsentOwners } from './absent-owners.ts';
import { blockingDependents, FOREGROUND_FINALIZER, type GraphNode, hasFinalizer, isBeingDeleted, ORPHAN_FINALIZER } from './graph-node.ts';
import { type Identity, identityOf } from './identity.ts';
import type { KindMapper } from './kind-mapper.ts';
import type { ObjectAccess } from './object-access.ts';
import type { OwnerGraph } from './owner-graph.ts';
import { type ClassifiedOwners, type Verdict, verdictOf } from './verdict.ts';

export interface CollectorOptions {
  readonly graph: OwnerGraph;
  readonly absent: AbsentOwners;
  readonly kinds: KindMapper;
  readonly access: ObjectAccess;
  /** Look at the node of this uid soon. */
  readonly enqueue: (uid: string) => void;
}

/** Whether a worker is through with a node: `again` after a growing delay, `pending` when that is arranged already. */
export type Outcome = 'done' | 'again' | 'pending';

/** Judges objects against the live state of the server, and acts. Rejections mean: try again later. Source: GarbageCollector. */
export interface Collector {
  /** Deletes the object when all of its owners are gone. */
  attemptToDelete(uid: string, signal: AbortSignal): Promise<Outcome>;
  /** Takes the owner off its dependents, then the finalizer `orphan` off the owner. */
  attemptToOrphan(uid: string, signal: AbortSignal): Promise<Outcome>;
}

export function newCollector(options: CollectorOptions): Collector {
  const { graph, access } = options;

  /** A virtual node is only done once an informer has shown it: the object may have come and gone unseen. */
  const settled = (uid: string): Outcome => (graph.get(uid)?.isVirtual === true ? 'again' : 'done');
  const gone = (identity: Identity): Outcome => (graph.removeAbsent(identity) ? 'done' : 'pending');

  return {
    async attemptToDelete(uid, signal) {
      const node = graph.get(uid);
      if (node === undefined) return 'done';
      // On its way already: its dependents are looked at when it is gone.
      if (node.isBeingDeleted && !node.isDeletingDependents) return 'done';
      const { identity } = node;
      const latest = await access.get(identity, signal);
      if (latest === undefined) return gone(identity);
      if (node.isDeletingDependents) {
        await finishForeground(options, node, signal);
        return settled(uid);
      }
      const { ownerReferences = [] } = latest.metadata;
      if (ownerReferences.length === 0) return settled(uid);
      const classified = await classify(options, node, ownerReferences, signal);
      if (classified === undefined) return 'done';
      try {
        await execute(access, node, latest, verdictOf(latest, classified, node.dependents), signal);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return gone(identity);
      }
      return settled(uid);
    },

    async attemptToOrphan(uid, signal) {
      const owner = graph.get(uid);
      if (owner === undefined) return 'done';
      const attempts = await Promise.allSettled([...owner.dependents].map((dependent) => orphan(access, dependent, uid, signal)));
      const failed = attempts.find((attempt) => attempt.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      await access.removeFinalizer(owner.identity, ORPHAN_FINALIZER, signal);
      return 'done';
    },
  };
}

async function orphan(access: ObjectAccess, { identity }: GraphNode, ownerUid: string, signal: AbortSignal): Promise<void> {
  try {
    await access.dropOwners(identity, [ownerUid], signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Lets an object go that waited for its dependents, or sees to it that they go. */
async function finishForeground({ access, enqueue }: CollectorOptions, node: GraphNode, signal: AbortSignal): Promise<void> {
  const blocking = blockingDependents(node);
  if (blocking.length === 0) return access.removeFinalizer(node.identity, FOREGROUND_FINALIZER, signal);
  for (const dependent of blocking) if (!dependent.isDeletingDependents) enqueue(dependent.identity.uid);
}

async function execute(access: ObjectAccess, node: GraphNode, latest: KubeObject, verdict: Verdict, signal: AbortSignal): Promise<void> {
  const { identity } = node;
  switch (verdict.type) {
    case 'keep':
      return;
    case 'drop-owners':
      return access.dropOwners(identity, verdict.uids, signal);
    case 'delete': {
      if (!verdict.unblock) return access.delete(identity, latest, verdict.propagation, signal);
      const { ownerReferences = [] } = latest.metadata;
      await access.unblockOwners(identity, ownerReferences, signal);
      const unblocked = await access.get(identity, signal);
      return access.delete(identity, unblocked ?? latest, verdict.propagation, signal);
    }
  }
}

/** Undefined: a cluster-scoped object references a namespaced owner, which no retry mends. */
async function classify(
  options: CollectorOptions,
  node: GraphNode,
  references: readonly OwnerReference[],
  signal: AbortSignal,
): Promise<ClassifiedOwners | undefined> {
  const solid: OwnerReference[] = [];
  const dangling: OwnerReference[] = [];
  const waiting: OwnerReference[] = [];
  for (const reference of references) {
    const owner = await liveOwner(options, node, reference, signal);
    if (owner === 'impossible') return undefined;
    if (owner === undefined) dangling.push(reference);
    else if (isBeingDeleted(owner) && hasFinalizer(owner, FOREGROUND_FINALIZER)) waiting.push(reference);
    else solid.push(reference);
  }
  return { solid, dangling, waiting };
}

/** The owner as the server has it; undefined when there is none. */
async function liveOwner(
  { absent, kinds, access }: CollectorOptions,
  { identity: { namespace } }: GraphNode,
  reference: OwnerReference,
  signal: AbortSignal,
): Promise<KubeObject | undefined | 'impossible'> {
  if (absent.has(identityOf(reference, '')) || absent.has(identityOf(reference, namespace))) return undefined;
  const { namespaced } = await kinds.resourceOf(reference.apiVersion, reference.kind, signal);
  if (namespaced && namespace === '') return 'impossible';
  const owner = identityOf(reference, namespaced ? namespace : '');
  const live = await access.get(owner, signal);
  if (live === undefined) absent.add(owner);
  return live;
}
