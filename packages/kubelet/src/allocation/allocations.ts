import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Node, Pod, ResourceRequirements } from '@orrery/api/core/v1';
import type { Logger } from '@orrery/component';
import { messageOf } from '../runtime/errors.ts';
import { type EventSink, podReference, reasons } from '../runtime/events.ts';
import type { Directories } from '../volumes/directories.ts';
import { allocationOf, type PodAllocation, resizableContainers, withAllocation } from './pod-allocation.ts';
import { type ResizeRefusal, refuseResize } from './resize-check.ts';
import { resizeMessage } from './resize-events.ts';

/** How far a change of the pod's resources has come; what the pod's conditions tell. */
export interface ResizeState {
  readonly pending?: ResizeRefusal & { readonly generation: number };
  readonly progress?: { readonly generation: number; readonly error?: string };
}

/**
 * What each pod of the node has been given, which may differ from what it now asks for (KEP-1287). Survives the kubelet: it lies in
 * the pod's directory.
 */
export interface Allocations {
  /** Learns what earlier kubelets granted. Once, before the first pod. */
  load(): Promise<void>;
  /** Grants a new pod what it asks for; one that was granted something keeps that. */
  admit(pod: Pod): void;
  /** The pod with what it has been given. */
  allocated(pod: Pod): Pod;
  /** The pod with what its running containers really have. */
  actuated(pod: Pod): Pod;
  /** What the container was made with or changed to last; `undefined` when that is not known. */
  actuatedResources(uid: string, container: string): ResourceRequirements | undefined;
  setActuated(uid: string, container: string, resources: ResourceRequirements | undefined): void;
  /**
   * Gives the pod what it now asks for, if the node can. @param others - The other active pods.
   * @returns Whether something has changed that its worker should look at.
   */
  consider(pod: Pod, node: Node, others: readonly Pod[]): boolean;
  /** Pods that wait for room. */
  deferred(): readonly string[];
  resizeState(uid: string): ResizeState;
  /** What was granted is in place, or is not yet. */
  settle(pod: Pod, done: boolean): void;
  fail(pod: Pod, error: string): void;
  /** Resolves when what was granted is on disk: nothing may act on it before. */
  persist(uid: string): Promise<void>;
  forget(uid: string): void;
}

interface Entry {
  allocation: PodAllocation;
  actuated: Record<string, ResourceRequirements>;
  state: ResizeState;
  /** Differs from what is on disk. */
  dirty: boolean;
}

const FILE = 'allocation';

export function newAllocations(directories: Directories, events: EventSink, log: Logger): Allocations {
  const entries = new Map<string, Entry>();

  function tell(pod: Pod, type: 'Normal' | 'Warning', reason: string, what: string, generation: number, error?: string): void {
    events.event(podReference(pod), type, reason, resizeMessage(what, pod, generation, error));
  }

  function refuse(entry: Entry, pod: Pod, refusal: ResizeRefusal): boolean {
    const generation = pod.metadata.generation ?? 0;
    const pending = { ...refusal, generation };
    if (isDeepStrictEqual(entry.state.pending, pending)) return false;
    const again = entry.state.pending?.reason === refusal.reason && entry.state.pending.generation === generation;
    entry.state = { ...entry.state, pending };
    const reason = refusal.reason === 'Infeasible' ? reasons.resizeInfeasible : reasons.resizeDeferred;
    if (!again) tell(pod, 'Warning', reason, refusal.reason, generation, refusal.message);
    return true;
  }

  function clearPending(entry: Entry): boolean {
    if (entry.state.pending === undefined) return false;
    const { pending: _, ...rest } = entry.state;
    entry.state = rest;
    return true;
  }

  async function read(uid: string): Promise<void> {
    const text = await readFile(join(directories.pod(uid), FILE), 'utf8').catch(() => undefined);
    if (text === undefined) return;
    try {
      const { allocation, actuated, state } = JSON.parse(text) as Entry;
      entries.set(uid, { allocation, actuated, state, dirty: false });
    } catch (err) {
      log.warn('what a pod was granted cannot be read: it gets what it asks for', { uid, error: messageOf(err) });
    }
  }

  const allocated = (pod: Pod): Pod => {
    const entry = entries.get(pod.metadata.uid);
    return entry === undefined ? pod : withAllocation(pod, entry.allocation);
  };

  return {
    async load() {
      for (const uid of await readdir(directories.pods).catch(() => [])) await read(uid);
    },
    admit(pod) {
      const { uid } = pod.metadata;
      if (!entries.has(uid)) entries.set(uid, { allocation: allocationOf(pod), actuated: {}, state: {}, dirty: true });
    },
    allocated,
    actuated(pod) {
      const entry = entries.get(pod.metadata.uid);
      if (entry === undefined) return pod;
      return withAllocation(pod, { ...entry.allocation, containers: { ...entry.allocation.containers, ...entry.actuated } });
    },
    actuatedResources: (uid, container) => entries.get(uid)?.actuated[container],
    setActuated(uid, container, resources = {}) {
      const entry = entries.get(uid);
      if (entry === undefined || isDeepStrictEqual(entry.actuated[container], resources)) return;
      entry.actuated = { ...entry.actuated, [container]: resources };
      entry.dirty = true;
    },
    consider(pod, node, others) {
      const entry = entries.get(pod.metadata.uid);
      if (entry === undefined) return false;
      const wanted = allocationOf(pod);
      if (isDeepStrictEqual(wanted, entry.allocation)) return clearPending(entry);
      const refusal = refuseResize(pod, node, others.map(allocated));
      if (refusal !== undefined) return refuse(entry, pod, refusal);
      const generation = pod.metadata.generation ?? 0;
      entry.allocation = wanted;
      entry.state = { progress: { generation } };
      entry.dirty = true;
      tell(pod, 'Normal', reasons.resizeStarted, 'started', generation);
      return true;
    },
    deferred: () => [...entries].flatMap(([uid, { state }]) => (state.pending?.reason === 'Deferred' ? [uid] : [])),
    resizeState: (uid) => entries.get(uid)?.state ?? {},
    settle(pod, done) {
      const entry = entries.get(pod.metadata.uid);
      if (entry === undefined) return;
      const { progress, ...rest } = entry.state;
      if (done && progress !== undefined) {
        entry.state = rest;
        entry.dirty = true;
        tell(pod, 'Normal', reasons.resizeCompleted, 'completed', progress.generation);
      } else if (!done && progress === undefined) {
        entry.state = { ...rest, progress: { generation: pod.metadata.generation ?? 0 } };
        entry.dirty = true;
      }
    },
    fail(pod, error) {
      const entry = entries.get(pod.metadata.uid);
      if (entry === undefined || entry.state.progress?.error === error) return;
      const generation = entry.state.progress?.generation ?? pod.metadata.generation ?? 0;
      entry.state = { ...entry.state, progress: { generation, error } };
      entry.dirty = true;
      tell(pod, 'Warning', reasons.resizeError, 'error', generation, error);
    },
    async persist(uid) {
      const entry = entries.get(uid);
      if (entry === undefined || !entry.dirty) return;
      entry.dirty = false;
      const { allocation, actuated, state } = entry;
      try {
        await mkdir(directories.pod(uid), { recursive: true, mode: 0o750 });
        const path = join(directories.pod(uid), FILE);
        await writeFile(`${path}.new`, JSON.stringify({ allocation, actuated, state }), { mode: 0o600 });
        await rename(`${path}.new`, path);
      } catch (err) {
        entry.dirty = true;
        throw err;
      }
    },
    forget: (uid) => void entries.delete(uid),
  };
}

/** Whether everything that runs has what was granted. @param running - Names of the containers that run. */
export function isSettled(allocations: Allocations, pod: Pod, running: ReadonlySet<string>): boolean {
  const granted = allocations.allocated(pod);
  return resizableContainers(granted).every(({ name, resources = {} }) => {
    const has = allocations.actuatedResources(pod.metadata.uid, name);
    return !running.has(name) || has === undefined || isDeepStrictEqual(has, resources);
  });
}
