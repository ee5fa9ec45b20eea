import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import { compareIdentities, type Identity, identityOf, matchesCoordinates, sameIdentity } from './identity.ts';

export const FOREGROUND_FINALIZER = 'foregroundDeletion';
export const ORPHAN_FINALIZER = 'orphan';

/** An object in the owner graph. Written by {@link OwnerGraph} alone. */
export interface GraphNode {
  identity: Identity;
  /** The object's references, shared with the object. */
  owners: readonly OwnerReference[];
  /** Objects that name this one as owner. Most nodes have none, and share one empty set. */
  dependents: ReadonlySet<GraphNode>;
  /** True until an informer has shown the object: so far some dependent only says that it exists. */
  isVirtual: boolean;
  /** It has a deletionTimestamp. Never turns false. */
  isBeingDeleted: boolean;
  /** It waits for its dependents (finalizer `foregroundDeletion`). Never turns false. */
  isDeletingDependents: boolean;
}

export const noOwners: readonly OwnerReference[] = Object.freeze([]);
const noDependents: ReadonlySet<GraphNode> = new Set();

export const newNode = (identity: Identity, isVirtual: boolean): GraphNode => ({
  identity,
  owners: noOwners,
  dependents: noDependents,
  isVirtual,
  isBeingDeleted: false,
  isDeletingDependents: false,
});

export function addDependent(owner: GraphNode, dependent: GraphNode): void {
  if (owner.dependents === noDependents) owner.dependents = new Set([dependent]);
  else (owner.dependents as Set<GraphNode>).add(dependent);
}

export function deleteDependent(owner: GraphNode, dependent: GraphNode): void {
  if (owner.dependents !== noDependents) (owner.dependents as Set<GraphNode>).delete(dependent);
}

export const isBeingDeleted = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;
export const hasFinalizer = ({ metadata }: KubeObject, finalizer: string): boolean => metadata.finalizers?.includes(finalizer) === true;

/** Dependents that keep a node from going in the foreground. */
export const blockingDependents = ({ identity, dependents }: GraphNode): GraphNode[] =>
  [...dependents].filter(({ owners }) => owners.some(({ uid, blockOwnerDeletion }) => uid === identity.uid && blockOwnerDeletion === true));

export interface PartitionedDependents {
  readonly matching: readonly GraphNode[];
  readonly mismatched: readonly GraphNode[];
}

/**
 * Divides dependents by whether they reference `owner` under these coordinates and from where it can be seen. One with several references
 * to the same uid may be in both lists. Source: partitionDependents.
 */
export function partitionDependents(dependents: Iterable<GraphNode>, owner: Identity): PartitionedDependents {
  const matching: GraphNode[] = [];
  const mismatched: GraphNode[] = [];
  for (const dependent of dependents) {
    const visible = owner.namespace === '' || owner.namespace === dependent.identity.namespace;
    const references = dependent.owners.filter(({ uid }) => uid === owner.uid);
    if (visible && references.some((reference) => matchesCoordinates(reference, owner))) matching.push(dependent);
    if (!visible || references.some((reference) => !matchesCoordinates(reference, owner))) mismatched.push(dependent);
  }
  return { matching, mismatched };
}

/**
 * Another identity under which dependents know the owner that does not exist as `absent`: the next one in order, then from the start, so
 * that asking again and again tries all. Source: getAlternateOwnerIdentity.
 */
export function alternateIdentity(dependents: readonly GraphNode[], absent: Identity): Identity | undefined {
  const candidates = dependents.flatMap(({ owners, identity }) =>
    owners
      .filter(({ uid }) => uid === absent.uid)
      .map((reference) => {
        const isClusterScoped = absent.namespace === '' && reference.apiVersion === absent.apiVersion && reference.kind === absent.kind;
        return identityOf(reference, isClusterScoped ? '' : identity.namespace);
      }),
  );
  const others = candidates.filter((candidate) => !sameIdentity(candidate, absent)).sort(compareIdentities);
  return others.find((candidate) => compareIdentities(candidate, absent) > 0) ?? others[0];
}
