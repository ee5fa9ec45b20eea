import type { Node } from '@orrery/api/core/v1';
import { assert } from '@orrery/base';
import { type NodeInfo, newNodeInfo } from './node-info.ts';
import { PodIndex } from './pod-index.ts';
import { assignedTo, type PodInfo } from './pod-info.ts';

interface PlacedPod {
  readonly info: PodInfo;
  readonly nodeName: string;
  /** Placed by us, and not yet seen on its node through the API. */
  readonly isAssumed: boolean;
}

/**
 * What is on which node: what the API says, and on top of it the pods that were placed and are not yet seen there.
 *
 * The one owner of this state. Informers and the scheduling cycle change it, both without waiting in between.
 */
export class SchedulerCache {
  /** By name, in order of arrival. */
  readonly nodes = new Map<string, NodeInfo>();
  /** Pods on the nodes of {@link nodes}. */
  readonly index = new PodIndex();
  /** Number of nodes that hold an image, by its name. */
  readonly imageNodes = new Map<string, number>();
  /** Names of nodes that changed since a snapshot last took them. */
  readonly changed = new Set<string>();
  /** Grows when nodes come, go or move to another zone. */
  structure = 0;
  readonly #pods = new Map<string, PlacedPod>(); // By uid.
  readonly #waiting = new Map<string, Set<string>>(); // Uids of pods whose node is not known, by its name.
  #generation = 0;

  isAssumed(uid: string): boolean {
    return this.#pods.get(uid)?.isAssumed === true;
  }

  /** Node that the pod is on, or was assumed to. */
  nodeOf(uid: string): string | undefined {
    return this.#pods.get(uid)?.nodeName;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  /** Takes room on the node for a pod that is about to be bound. @throws {AssertionError} when the pod is placed already. */
  assume(info: PodInfo, nodeName: string): PodInfo {
    assert(!this.#pods.has(info.uid), () => `pod ${info.key} is placed already`);
    const assumed = assignedTo(info, nodeName);
    this.#place({ info: assumed, nodeName, isAssumed: true });
    return assumed;
  }

  /** Gives the room back. Nothing happens where the pod has been seen on its node. */
  forget(uid: string): boolean {
    if (!this.isAssumed(uid)) return false;
    this.#remove(uid);
    return true;
  }

  /** The API shows the pod on a node: what was assumed is confirmed or corrected. */
  setPod(info: PodInfo, nodeName: string): void {
    this.#remove(info.uid);
    this.#place({ info, nodeName, isAssumed: false });
  }

  removePod(uid: string): void {
    this.#remove(uid);
  }

  setNode(node: Node): void {
    const { name } = node.metadata;
    const known = this.nodes.get(name);
    if (known === undefined) {
      this.#addNode(node);
      return;
    }
    const { labels } = known;
    this.#countImages(known, -1);
    known.setNode(node);
    this.#countImages(known, 1);
    this.#touch(known);
    if (sameLabels(labels, known.labels)) return;
    this.structure += 1; // Its zone may be another.
    for (const pod of known.pods) {
      this.index.remove(pod);
      this.index.add(pod, known);
    }
  }

  removeNode(name: string): void {
    const known = this.nodes.get(name);
    if (known === undefined) return;
    this.#countImages(known, -1);
    for (const pod of known.pods) {
      this.index.remove(pod);
      this.#wait(name, pod.uid);
    }
    this.nodes.delete(name);
    this.changed.delete(name);
    this.structure += 1;
  }

  #addNode(node: Node): void {
    const info = newNodeInfo(node);
    this.nodes.set(info.name, info);
    this.#countImages(info, 1);
    this.#touch(info);
    this.structure += 1;
    const uids = this.#waiting.get(info.name);
    this.#waiting.delete(info.name);
    for (const uid of uids ?? []) {
      const placed = this.#pods.get(uid);
      if (placed !== undefined) this.#putOn(info, placed.info);
    }
  }

  #place(placed: PlacedPod): void {
    this.#pods.set(placed.info.uid, placed);
    const node = this.nodes.get(placed.nodeName);
    if (node === undefined) this.#wait(placed.nodeName, placed.info.uid);
    else this.#putOn(node, placed.info);
  }

  #remove(uid: string): void {
    const placed = this.#pods.get(uid);
    if (placed === undefined) return;
    this.#pods.delete(uid);
    const node = this.nodes.get(placed.nodeName);
    if (node === undefined) {
      const uids = this.#waiting.get(placed.nodeName);
      uids?.delete(uid);
      if (uids?.size === 0) this.#waiting.delete(placed.nodeName);
      return;
    }
    node.removePod(placed.info);
    this.index.remove(placed.info);
    this.#touch(node);
  }

  #putOn(node: NodeInfo, info: PodInfo): void {
    node.addPod(info);
    this.index.add(info, node);
    this.#touch(node);
  }

  #wait(nodeName: string, uid: string): void {
    const uids = this.#waiting.get(nodeName);
    if (uids === undefined) this.#waiting.set(nodeName, new Set([uid]));
    else uids.add(uid);
  }

  #touch(node: NodeInfo): void {
    this.#generation += 1;
    node.generation = this.#generation;
    this.changed.add(node.name);
  }

  #countImages({ images }: NodeInfo, sign: 1 | -1): void {
    for (const name of images.keys()) {
      const count = (this.imageNodes.get(name) ?? 0) + sign;
      if (count === 0) this.imageNodes.delete(name);
      else this.imageNodes.set(name, count);
    }
  }
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
