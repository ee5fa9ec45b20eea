import type { Sample, Usage } from '../protocol.ts';
import { boxKey } from './page-store.ts';

/** Points of one line: ten minutes at the pace of the polls. */
export const POINTS_MAX = 200;

export interface Line {
  readonly atMs: readonly number[];
  readonly cpuMilli: readonly number[];
  readonly memoryBytes: readonly number[];
}

/** The last minutes of CPU and memory, by node and by pod. */
export interface SeriesStore {
  add(sample: Sample): void;
  node(cluster: number, name: string): Line | undefined;
  pod(cluster: number, namespace: string, name: string): Line | undefined;
  lastOfPod(cluster: number, namespace: string, name: string): Usage | undefined;
  lastOfNode(cluster: number, name: string): Usage | undefined;
}

interface Points {
  readonly atMs: number[];
  readonly cpuMilli: number[];
  readonly memoryBytes: number[];
}

export function newSeriesStore(): SeriesStore {
  const nodes = new Map<string, Points>();
  const pods = new Map<string, Points>();
  /** Newest sample of each cluster that has pods: what is not in it is forgotten. */
  const add = (lines: Map<string, Points>, key: string, atMs: number, [cpu, memory]: Usage): void => {
    const points = lines.get(key) ?? { atMs: [], cpuMilli: [], memoryBytes: [] };
    lines.set(key, points);
    if ((points.atMs[points.atMs.length - 1] ?? 0) >= atMs) return; // The past again, after a reconnection.
    for (const [list, value] of [
      [points.atMs, atMs],
      [points.cpuMilli, cpu],
      [points.memoryBytes, memory],
    ] as const) {
      list.push(value);
      if (list.length > POINTS_MAX) list.shift();
    }
  };
  const last = (points: Points | undefined): Usage | undefined => {
    const index = (points?.atMs.length ?? 0) - 1;
    return points === undefined || index < 0 ? undefined : [points.cpuMilli[index] ?? 0, points.memoryBytes[index] ?? 0];
  };
  const podKey = (cluster: number, namespace: string, name: string): string => boxKey(cluster, `${namespace}/${name}`);
  return {
    add(sample) {
      for (const [name, usage] of Object.entries(sample.nodes)) add(nodes, boxKey(sample.cluster, name), sample.atMs, usage);
      if (sample.pods === undefined) return;
      for (const key of pods.keys()) {
        if (key.startsWith(`${sample.cluster}/`) && !(key.slice(key.indexOf('/') + 1) in sample.pods)) pods.delete(key);
      }
      for (const [name, usage] of Object.entries(sample.pods)) add(pods, boxKey(sample.cluster, name), sample.atMs, usage);
    },
    node: (cluster, name) => nodes.get(boxKey(cluster, name)),
    pod: (cluster, namespace, name) => pods.get(podKey(cluster, namespace, name)),
    lastOfPod: (cluster, namespace, name) => last(pods.get(podKey(cluster, namespace, name))),
    lastOfNode: (cluster, name) => last(nodes.get(boxKey(cluster, name))),
  };
}
