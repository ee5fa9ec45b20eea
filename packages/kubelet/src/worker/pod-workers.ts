import type { Node, Pod } from '@orrery/api/core/v1';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { Allocations } from '../allocation/allocations.ts';
import { resizeOrder } from '../allocation/resize-order.ts';
import { admit, type Rejection } from '../pod/admission.ts';
import { formatPod, isTerminalPhase } from '../pod/container-spec.ts';
import { type EventSink, podReference } from '../runtime/events.ts';
import { type Eviction, newPodMemory } from './pod-syncer.ts';
import { newPodWorker, type PodWorker, type WorkerDeps } from './pod-worker.ts';
import type { RuntimePod } from './relister.ts';

export interface PodWorkersDeps extends Omit<WorkerDeps, 'onDone'> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSink;
  readonly node: () => Node | undefined;
  /** Asked before the node's resources are looked at. */
  readonly allocations: Allocations;
  readonly gates: readonly ((pod: Pod) => Rejection | undefined)[];
  readonly onGone: (uid: string) => void;
}

/** The workers of all pods of this node. */
export interface PodWorkers {
  /** Pods that the API has, in the order in which they were made: an earlier pod is admitted first. */
  add(pod: Pod): void;
  update(pod: Pod): void;
  remove(pod: Pod): void;
  /** A pod that runs here though the API does not know it: it is ended. */
  addOrphan(pod: RuntimePod): void;
  /** Pods that ran here before this kubelet did are not admitted again. */
  adopt(uids: ReadonlySet<string>): void;
  wake(uid: string): void;
  /** Pods that run or may come to run. */
  active(): readonly Pod[];
  /** Nothing of the pod runs, nor will it. */
  isStopped(uid: string): boolean;
  evict(uid: string, eviction: Eviction, graceSeconds: number): void;
  /** Looks again at pods that wait for room to grow. */
  retryResizes(): void;
  has(uid: string): boolean;
  uids(): ReadonlySet<string>;
  /** Pods by `namespace/name`; the newest where one name was given twice. */
  find(namespace: string, name: string): Pod | undefined;
  list(): readonly Pod[];
  stop(): Promise<void>;
}

function orphanOf({ uid, name, namespace }: RuntimePod): Pod {
  const metadata = { name, namespace, uid, resourceVersion: '', creationTimestamp: '' };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [], terminationGracePeriodSeconds: 1 }, status: {} };
}

export function newPodWorkers(deps: PodWorkersDeps): PodWorkers {
  const { allocations } = deps;
  const workers = new Map<string, PodWorker>();
  let adopted: ReadonlySet<string> = new Set();

  function start(pod: Pod, options: { readonly gone: boolean; readonly rejection?: Rejection | undefined }): void {
    const { uid } = pod.metadata;
    const memory = newPodMemory();
    if (options.rejection !== undefined) {
      const { reason, message } = options.rejection;
      memory.eviction = { reason, message: `Pod was rejected: ${message}` };
      deps.events.event(podReference(pod), 'Warning', reason, message);
    }
    const onDone = (): void => {
      workers.delete(uid);
      deps.onGone(uid);
      retryResizes();
    };
    workers.set(uid, newPodWorker(pod, { ...deps, onDone }, { gone: options.gone, memory, rejected: options.rejection !== undefined }));
  }

  function rejection(pod: Pod): Rejection | undefined {
    const node = deps.node();
    const known = adopted.has(pod.metadata.uid) || pod.metadata.deletionTimestamp !== undefined || isTerminalPhase(pod.status?.phase);
    if (node === undefined || known) return undefined;
    const active = activeBeside(pod).map(allocations.allocated);
    for (const gate of deps.gates) {
      const refused = gate(pod);
      if (refused !== undefined) return refused;
    }
    return admit(allocations.allocated(pod), node, active);
  }

  const activeBeside = (pod: Pod): readonly Pod[] =>
    [...workers.values()]
      .filter((worker) => !worker.stopped && !worker.rejected && worker.pod.metadata.uid !== pod.metadata.uid)
      .map((worker) => worker.pod);

  /** Gives a running pod what it now asks for, where there is room. */
  function resize(pod: Pod): boolean {
    const node = deps.node();
    if (node === undefined || pod.metadata.deletionTimestamp !== undefined || isTerminalPhase(pod.status?.phase)) return false;
    return allocations.consider(pod, node, activeBeside(pod));
  }

  function retryResizes(): void {
    const waiting = allocations.deferred().flatMap((uid) => workers.get(uid) ?? []);
    for (const worker of waiting.sort((a, b) => resizeOrder(allocations, a.pod, b.pod))) if (resize(worker.pod)) worker.wake();
  }

  /** The API shows the pod changed: what it gives up may make room for others. */
  function updated(worker: PodWorker, pod: Pod): void {
    if (!worker.rejected) resize(pod);
    worker.update(pod);
    if (allocations.deferred().length > 0) retryResizes();
  }

  function begin(pod: Pod): void {
    const refused = rejection(pod);
    if (refused === undefined) {
      allocations.admit(pod);
      resize(pod); // One that was here before may ask for more by now.
    }
    start(pod, { gone: false, rejection: refused });
  }

  const find = (namespace: string, name: string): PodWorker | undefined => {
    let found: PodWorker | undefined;
    for (const worker of workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.namespace === namespace && metadata.name === name) found = worker;
    }
    return found;
  };

  return {
    add(pod) {
      const before = workers.get(pod.metadata.uid);
      if (before !== undefined) updated(before, pod);
      else begin(pod);
    },
    update(pod) {
      const worker = workers.get(pod.metadata.uid);
      if (worker !== undefined) updated(worker, pod);
      else if (pod.metadata.deletionTimestamp === undefined) begin(pod);
    },
    remove: (pod) => workers.get(pod.metadata.uid)?.removed(pod),
    addOrphan(pod) {
      if (workers.has(pod.uid)) return;
      deps.log.info('ending a pod that the API does not know', { pod: formatPod(orphanOf(pod)) });
      start(orphanOf(pod), { gone: true });
    },
    adopt(uids) {
      adopted = uids;
    },
    wake: (uid) => workers.get(uid)?.wake(),
    retryResizes,
    active: () => [...workers.values()].filter((worker) => !worker.stopped && !worker.rejected).map((worker) => worker.pod),
    isStopped: (uid) => workers.get(uid)?.stopped !== false,
    evict: (uid, eviction, graceSeconds) => workers.get(uid)?.evict(eviction, graceSeconds),
    has: (uid) => workers.has(uid),
    uids: () => new Set(workers.keys()),
    find: (namespace, name) => find(namespace, name)?.pod,
    list: () => [...workers.values()].map((worker) => worker.pod),
    async stop() {
      await Promise.all([...workers.values()].map((worker) => worker.abandon()));
    },
  };
}
