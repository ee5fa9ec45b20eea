import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import type { AbsentOwners } from './absent-owners.ts';
import {
  addDependent,
  alternateIdentity,
  deleteDependent,
  FOREGROUND_FINALIZER,
  type GraphNode,
  hasFinalizer,
  isBeingDeleted,
  newNode,
  noOwners,
  ORPHAN_FINALIZER,
  partitionDependents,
} from './graph-node.ts';
import { type Identity, identityOf, matchesCoordinates, sameIdentity } from './identity.ts';

/** Told by the graph what to look at. Nodes are named by uid. */
export interface GraphListener {
  /** The node may have to go. */
  attemptToDelete(uid: string): void;
  /** As `attemptToDelete`, after a growing delay. */
  attemptToDeleteLater(uid: string): void;
  /** The node goes, its dependents stay: take the reference off them. */
  attemptToOrphan(uid: string): void;
  /** `node` references an owner that lives in another namespace. */
  invalidNamespace(node: GraphNode, reference: OwnerReference): void;
}

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * Who owns whom, from what informers show. An owner that nobody has shown yet is a virtual node, and is asked for at the server.
 * Synchronous, so that one event is one step. Source: garbagecollector.GraphBuilder.
 */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>(); // By uid.
  readonly #absent: AbsentOwners;
  readonly #listener: GraphListener;

  constructor(absent: AbsentOwners, listener: GraphListener) {
    this.#absent = absent;
    this.#listener = listener;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** An informer shows `object`, new or changed. @param old - The state before; absent when it is new to the informer. */
  observe(kind: Kind, object: KubeObject, old: KubeObject | undefined): void {
    const { uid, namespace = '', name, ownerReferences = noOwners } = object.metadata;
    let node = this.#nodes.get(uid);
    if (node?.isVirtual === true) this.#becomeReal(node, { ...kind, uid, namespace, name });
    if (node === undefined) {
      node = newNode({ apiVersion: kind.apiVersion, kind: kind.kind, uid, namespace, name }, false);
      node.owners = ownerReferences;
      this.#nodes.set(uid, node);
      this.#linkOwners(node, ownerReferences);
    } else {
      const { identity } = node;
      if (identity.apiVersion !== kind.apiVersion || identity.kind !== kind.kind) node.identity = { ...identity, ...kind };
      if (node.owners !== ownerReferences) this.#changeOwners(node, ownerReferences);
    }
    if (isBeingDeleted(object)) node.isBeingDeleted = true;
    this.#startWaiting(node, object, old);
  }

  /** An informer shows that `object` is gone. */
  remove(kind: Kind, object: KubeObject): void {
    const { uid, namespace = '', name } = object.metadata;
    const node = this.#nodes.get(uid);
    if (node !== undefined) this.#drop(node, { apiVersion: kind.apiVersion, kind: kind.kind, uid, namespace, name });
  }

  /** The server says that `identity` does not exist. True: so it is gone from the graph too. */
  removeAbsent(identity: Identity): boolean {
    const node = this.#nodes.get(identity.uid);
    if (node === undefined) return true;
    const { matching, mismatched } = partitionDependents(node.dependents, identity);
    // A real node under another identity stays; so does a virtual one of which dependents know another identity: that may exist.
    const stays = node.isVirtual ? mismatched.length > 0 : !sameIdentity(node.identity, identity);
    if (!stays) {
      this.#drop(node, identity);
      return true;
    }
    if (matching.length > 0) this.#absent.add(identity);
    for (const dependent of matching) this.#listener.attemptToDelete(dependent.identity.uid);
    if (!node.isVirtual || !sameIdentity(node.identity, identity)) return false;
    const other = alternateIdentity(mismatched, identity);
    if (other === undefined) return false;
    node.identity = other;
    this.#listener.attemptToDeleteLater(identity.uid);
    return false;
  }

  /** The first time that an informer shows what was virtual: now its identity is known, and some dependents may be wrong about it. */
  #becomeReal(node: GraphNode, observed: Identity): void {
    node.isVirtual = false;
    if (sameIdentity(node.identity, observed)) return;
    for (const dependent of partitionDependents(node.dependents, observed).mismatched) {
      if (observed.namespace !== '' && dependent.identity.namespace !== observed.namespace) this.#reportNamespace(dependent, observed.uid);
      this.#listener.attemptToDelete(dependent.identity.uid);
    }
    node.identity = observed;
  }

  /** Enters `node` among the dependents of its owners, made up where they are unknown. */
  #linkOwners(node: GraphNode, references: readonly OwnerReference[]): void {
    let isDoubtful = false;
    for (const reference of references) {
      let owner = this.#nodes.get(reference.uid);
      if (owner === undefined) {
        owner = newNode(identityOf(reference, node.identity.namespace), true);
        this.#nodes.set(reference.uid, owner);
        this.#listener.attemptToDelete(reference.uid); // Asks the server whether it exists.
      } else if (!isDoubtful) {
        isDoubtful = this.#isDoubtful(node, owner, reference);
      }
      addDependent(owner, node);
    }
    if (isDoubtful) this.#listener.attemptToDelete(node.identity.uid);
  }

  /** Whether the owner may be another object than the one that `reference` means. */
  #isDoubtful(node: GraphNode, owner: GraphNode, reference: OwnerReference): boolean {
    const { namespace } = owner.identity;
    const isElsewhere = namespace !== node.identity.namespace;
    if (namespace !== '' && isElsewhere) {
      if (!owner.isVirtual) this.#reportNamespace(node, reference.uid);
      return true;
    }
    if (!matchesCoordinates(reference, owner.identity)) return true;
    // Made up by a cluster-scoped dependent: it may be a namespaced kind, wrongly referenced.
    return owner.isVirtual && isElsewhere;
  }

  #changeOwners(node: GraphNode, references: readonly OwnerReference[]): void {
    const before = new Map(node.owners.map((reference) => [reference.uid, reference]));
    const after = new Map(references.map((reference) => [reference.uid, reference]));
    node.owners = references;
    for (const reference of before.values()) {
      const blocks = reference.blockOwnerDeletion === true && after.get(reference.uid)?.blockOwnerDeletion !== true;
      if (blocks && this.#nodes.has(reference.uid)) this.#listener.attemptToDelete(reference.uid);
    }
    this.#linkOwners(
      node,
      references.filter(({ uid }) => !before.has(uid)),
    );
    for (const uid of before.keys()) if (!after.has(uid)) this.#unlink(node, uid);
  }

  #unlink(node: GraphNode, ownerUid: string): void {
    const owner = this.#nodes.get(ownerUid);
    if (owner !== undefined) deleteDependent(owner, node);
  }

  /** Deletion has begun, with a finalizer that is ours. */
  #startWaiting(node: GraphNode, object: KubeObject, old: KubeObject | undefined): void {
    const starts = (finalizer: string): boolean =>
      isBeingDeleted(object) &&
      hasFinalizer(object, finalizer) &&
      (old === undefined || !isBeingDeleted(old) || !hasFinalizer(old, finalizer));
    if (starts(ORPHAN_FINALIZER)) {
      this.#listener.attemptToOrphan(node.identity.uid);
    } else if (starts(FOREGROUND_FINALIZER)) {
      node.isDeletingDependents = true;
      for (const dependent of node.dependents) this.#listener.attemptToDelete(dependent.identity.uid);
      this.#listener.attemptToDelete(node.identity.uid);
    }
  }

  #drop(node: GraphNode, identity: Identity): void {
    this.#nodes.delete(identity.uid);
    for (const { uid } of node.owners) this.#unlink(node, uid);
    if (node.dependents.size > 0) this.#absent.add(identity);
    for (const dependent of node.dependents) this.#listener.attemptToDelete(dependent.identity.uid);
    for (const { uid } of node.owners) {
      if (this.#nodes.get(uid)?.isDeletingDependents === true) this.#listener.attemptToDelete(uid);
    }
  }

  #reportNamespace(node: GraphNode, ownerUid: string): void {
    const reference = node.owners.find(({ uid }) => uid === ownerUid);
    if (reference !== undefined) this.#listener.invalidNamespace(node, reference);
  }
}
