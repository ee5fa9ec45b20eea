import type { PodInfo } from '../cache/pod-info.ts';

/** Pods for which room was made on a node, and which wait for it to become free. Others of lower priority must leave it to them. */
export class Nominator {
  readonly #byNode = new Map<string, Map<string, PodInfo>>(); // By node, then uid.
  readonly #nodes = new Map<string, string>(); // Node by uid. Invariant: the inverse of #byNode.

  get isEmpty(): boolean {
    return this.#nodes.size === 0;
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodes.get(uid);
  }

  /** Replaces an earlier nomination. @param nodeName - Empty: none. */
  set(pod: PodInfo, nodeName: string): void {
    this.remove(pod.uid);
    if (nodeName === '') return;
    this.#nodes.set(pod.uid, nodeName);
    const pods = this.#byNode.get(nodeName);
    if (pods === undefined) this.#byNode.set(nodeName, new Map([[pod.uid, pod]]));
    else pods.set(pod.uid, pod);
  }

  remove(uid: string): void {
    const nodeName = this.#nodes.get(uid);
    if (nodeName === undefined) return;
    this.#nodes.delete(uid);
    const pods = this.#byNode.get(nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) this.#byNode.delete(nodeName);
  }

  on(nodeName: string): readonly PodInfo[] {
    const pods = this.#byNode.get(nodeName);
    return pods === undefined ? none : [...pods.values()];
  }
}

const none: readonly PodInfo[] = [];
