import type { Node, Taint } from '@orrery/api/core/v1';
import { quantityValue } from '@orrery/apimachinery';
import { assert } from '@orrery/base';
import type { PodInfo } from './pod-info.ts';
import { addResources, copyResources, noResources, type Resources, resourcesOf } from './resources.ts';

export type ImageSizes = ReadonlyMap<string, number>;

const noLabels: Readonly<Record<string, string>> = {};
const noTaints: readonly Taint[] = [];
const noImages: ImageSizes = new Map();

/**
 * A node and the pods on it, with their sums.
 *
 * The cache changes its own copies; those in a snapshot never change. Whoever wants to try something out clones first.
 */
export class NodeInfo {
  readonly name: string;
  node: Node;
  labels: Readonly<Record<string, string>> = noLabels;
  taints: readonly Taint[] = noTaints;
  allocatable: Resources = noResources();
  allowedPods = 0;
  /** Bytes by image name. */
  images: ImageSizes = noImages;
  /** Invariant: `requested` and `nonZero` are the sums over `pods`; `withHostPorts` counts those of `pods` that have some. */
  pods: PodInfo[] = [];
  requested: Resources = noResources();
  nonZeroMilliCpu = 0;
  nonZeroMemory = 0;
  withHostPorts = 0;
  isUnschedulable = false;
  /** What is left, beside the sums: filters look at thousands of nodes for each pod, and at nothing else of most. May be negative. */
  freePods = 0;
  freeMilliCpu = 0;
  freeMemory = 0;
  /** Grows with every change of this node: equal generations are equal contents. */
  generation = 0;

  /** Use {@link newNodeInfo}: this reads nothing of `node` but its name. */
  constructor(node: Node) {
    this.name = node.metadata.name;
    this.node = node;
  }

  setNode(node: Node): void {
    this.node = node;
    this.labels = node.metadata.labels ?? noLabels;
    this.taints = node.spec?.taints ?? noTaints;
    const amounts = node.status?.allocatable;
    this.allocatable = resourcesOf(amounts);
    this.allowedPods = quantityValue(amounts?.['pods'] ?? '0');
    this.images = imagesOf(node);
    this.isUnschedulable = node.spec?.unschedulable === true;
    this.#setFree();
  }

  addPod(info: PodInfo): void {
    this.pods.push(info);
    this.#count(info, 1);
  }

  /** @throws {AssertionError} when the pod is not here. */
  removePod({ uid }: PodInfo): void {
    const at = this.pods.findIndex((candidate) => candidate.uid === uid);
    const found = this.pods[at];
    assert(found !== undefined, () => `pod ${uid} is not on node ${this.name}`);
    const last = this.pods.pop();
    if (last !== undefined && last !== found) this.pods[at] = last;
    this.#count(found, -1);
  }

  clone(): NodeInfo {
    const copy = new NodeInfo(this.node);
    copy.labels = this.labels;
    copy.taints = this.taints;
    copy.allocatable = this.allocatable;
    copy.allowedPods = this.allowedPods;
    copy.images = this.images;
    copy.pods = this.pods.slice();
    copy.requested = copyResources(this.requested);
    copy.nonZeroMilliCpu = this.nonZeroMilliCpu;
    copy.nonZeroMemory = this.nonZeroMemory;
    copy.withHostPorts = this.withHostPorts;
    copy.isUnschedulable = this.isUnschedulable;
    copy.#setFree();
    copy.generation = this.generation;
    return copy;
  }

  #count(info: PodInfo, sign: 1 | -1): void {
    addResources(this.requested, info.requests, sign);
    this.nonZeroMilliCpu += sign * info.nonZeroRequests.milliCpu;
    this.nonZeroMemory += sign * info.nonZeroRequests.memory;
    if (info.hostPorts.length > 0) this.withHostPorts += sign;
    this.#setFree();
  }

  #setFree(): void {
    this.freePods = this.allowedPods - this.pods.length;
    this.freeMilliCpu = this.allocatable.milliCpu - this.requested.milliCpu;
    this.freeMemory = this.allocatable.memory - this.requested.memory;
  }
}

export function newNodeInfo(node: Node): NodeInfo {
  const info = new NodeInfo(node);
  info.setNode(node);
  return info;
}

function imagesOf(node: Node): ImageSizes {
  const images = node.status?.images ?? [];
  if (images.length === 0) return noImages;
  return new Map(images.flatMap(({ names = [], sizeBytes = 0 }) => names.map((name) => [name, sizeBytes] as const)));
}
