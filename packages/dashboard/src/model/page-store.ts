import type {
  Batch,
  ClusterHello,
  ClusterState,
  Hello,
  Message,
  NodeView,
  PodState,
  PodView,
  Sample,
  View,
  WorkloadView,
} from '../protocol.ts';
import { newSlots, type Slots } from './slots.ts';

/** A node's box: its name within a cluster. There is one too for nodes that are not shown themselves but have pods. */
export interface Box {
  readonly key: string;
  readonly cluster: number;
  readonly name: string;
  readonly slots: Slots;
  node: NodeView | undefined;
}

/** What one message changed, for those who draw. */
export interface Delta {
  /** Boxes whose pods changed. */
  readonly boxes: Set<string>;
  /** Pods that changed or came, each in the box of its node. */
  readonly changed: { readonly id: string; readonly box: string }[];
  /** Pods that came to a box, or went from it, with the box. */
  readonly arrived: { readonly id: string; readonly box: string }[];
  readonly left: { readonly pod: PodView; readonly box: string; readonly slot: number }[];
  /** Boxes came or went, or changed their order. */
  layout: boolean;
}

/** All that the page knows. Changed by messages alone; never copied. */
export interface PageStore {
  readonly hello: Hello | undefined;
  readonly clusters: readonly ClusterHello[];
  /** Server's time of the last batch. */
  readonly nowMs: number;
  /** False until the first whole picture has come. */
  readonly whole: boolean;
  readonly pods: ReadonlyMap<string, PodView>;
  readonly workloads: ReadonlyMap<string, WorkloadView>;
  readonly boxes: ReadonlyMap<string, Box>;
  /** Ids of pods without a node. */
  readonly unplaced: ReadonlySet<string>;
  /** Grows with every change of a workload. */
  readonly workloadVersion: number;
  stateOf(cluster: number): ClusterState | undefined;
  view(id: string): View | undefined;
  /** Of one cluster, or all: pods by state. */
  counts(cluster?: number): Readonly<Record<PodState, number>>;
  namespaces(): readonly string[];
  apply(message: Exclude<Message, Sample>): Delta;
}

export const boxKey = (cluster: number, node: string): string => `${cluster}/${node}`;

export const podStates: readonly PodState[] = [
  'running',
  'starting',
  'pending',
  'failing',
  'failed',
  'succeeded',
  'terminating',
  'unknown',
];

const noCounts = (): Record<PodState, number> => Object.fromEntries(podStates.map((state) => [state, 0])) as Record<PodState, number>;

export function newPageStore(): PageStore {
  const pods = new Map<string, PodView>();
  const workloads = new Map<string, WorkloadView>();
  const nodes = new Map<string, NodeView>();
  const boxes = new Map<string, Box>();
  const unplaced = new Set<string>();
  const states = new Map<number, ClusterState>();
  const counted = new Map<number, Record<PodState, number>>();
  const namespaceUse = new Map<string, number>();
  /** Ids of a whole picture under way: what is not among them at its end is gone. */
  let seen: Set<string> | undefined;
  let hello: Hello | undefined;
  let nowMs = 0;
  let whole = false;
  let workloadVersion = 0;

  const count = ({ cluster, state, namespace }: PodView, by: 1 | -1): void => {
    const counts = counted.get(cluster) ?? noCounts();
    counts[state] += by;
    counted.set(cluster, counts);
    const used = (namespaceUse.get(namespace) ?? 0) + by;
    if (used === 0) namespaceUse.delete(namespace);
    else namespaceUse.set(namespace, used);
  };
  const boxOf = (cluster: number, name: string, delta: Delta): Box => {
    const key = boxKey(cluster, name);
    let box = boxes.get(key);
    if (box === undefined) {
      box = { key, cluster, name, slots: newSlots(), node: undefined };
      boxes.set(key, box);
      delta.layout = true;
    }
    return box;
  };
  const closeBox = (box: Box, delta: Delta): void => {
    if (box.node !== undefined || box.slots.length > 0) return;
    boxes.delete(box.key);
    delta.layout = true;
  };

  const removePod = (pod: PodView, delta: Delta): void => {
    pods.delete(pod.id);
    unplaced.delete(pod.id);
    count(pod, -1);
    const box = boxes.get(boxKey(pod.cluster, pod.node));
    const slot = box?.slots.slotOf(pod.id);
    if (box === undefined || slot === undefined) return;
    delta.left.push({ pod, box: box.key, slot });
    delta.boxes.add(box.key);
    box.slots.release(pod.id);
    closeBox(box, delta);
  };
  const setPod = (pod: PodView, delta: Delta): void => {
    const old = pods.get(pod.id);
    if (old !== undefined) count(old, -1);
    count(pod, 1);
    pods.set(pod.id, pod);
    if (pod.node === '') {
      unplaced.add(pod.id);
      return;
    }
    unplaced.delete(pod.id);
    const box = boxOf(pod.cluster, pod.node, delta);
    if (box.slots.slotOf(pod.id) === undefined) delta.arrived.push({ id: pod.id, box: box.key });
    box.slots.take(pod.id);
    delta.changed.push({ id: pod.id, box: box.key });
    delta.boxes.add(box.key);
  };
  const set = (view: View, delta: Delta): void => {
    seen?.add(view.id);
    if (view.kind === 'pod') setPod(view, delta);
    else if (view.kind === 'workload') {
      workloads.set(view.id, view);
      workloadVersion += 1;
    } else {
      nodes.set(view.id, view);
      const box = boxOf(view.cluster, view.name, delta);
      box.node = view;
      delta.boxes.add(box.key);
    }
  };
  const remove = (id: string, delta: Delta): void => {
    const pod = pods.get(id);
    if (pod !== undefined) removePod(pod, delta);
    if (workloads.delete(id)) workloadVersion += 1;
    const node = nodes.get(id);
    const box = node === undefined ? undefined : boxes.get(boxKey(node.cluster, node.name));
    nodes.delete(id);
    if (box?.node?.id !== id) return;
    box.node = undefined;
    delta.boxes.add(box.key);
    closeBox(box, delta);
  };
  const applyBatch = (batch: Batch, delta: Delta): void => {
    nowMs = batch.nowMs;
    if (batch.reset === true) seen = new Set();
    for (const view of batch.changed) set(view, delta);
    for (const id of batch.gone) remove(id, delta);
    if (batch.whole !== true) return;
    const known = seen ?? new Set();
    seen = undefined;
    whole = true;
    for (const id of [...pods.keys(), ...workloads.keys(), ...nodes.keys()]) if (!known.has(id)) remove(id, delta);
  };

  return {
    get hello() {
      return hello;
    },
    get clusters() {
      return hello?.clusters ?? [];
    },
    get nowMs() {
      return nowMs;
    },
    get whole() {
      return whole;
    },
    get workloadVersion() {
      return workloadVersion;
    },
    pods,
    workloads,
    boxes,
    unplaced,
    stateOf: (cluster) => states.get(cluster),
    view: (id) => pods.get(id) ?? workloads.get(id) ?? nodes.get(id),
    counts(cluster) {
      if (cluster !== undefined) return counted.get(cluster) ?? noCounts();
      const all = noCounts();
      for (const counts of counted.values()) for (const state of podStates) all[state] += counts[state];
      return all;
    },
    namespaces: () => [...namespaceUse.keys()].sort(),
    apply(message) {
      const delta: Delta = { boxes: new Set(), changed: [], arrived: [], left: [], layout: false };
      if (message.type === 'hello') hello = message;
      else if (message.type === 'state') states.set(message.cluster, message.state);
      else applyBatch(message, delta);
      return delta;
    },
  };
}
