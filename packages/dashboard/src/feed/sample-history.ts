import type { Sample } from '../protocol.ts';

/** Samples of nodes that a page gets when it opens, so that its charts begin with a line. */
const KEPT = 100;

export interface SampleHistory {
  add(sample: Sample): void;
  /** Oldest first; the newest of each cluster has its pods, the others nodes only. */
  past(): readonly Sample[];
}

export function newSampleHistory(): SampleHistory {
  const byCluster = new Map<number, Sample[]>();
  return {
    add(sample) {
      const kept = byCluster.get(sample.cluster) ?? [];
      const last = kept.pop();
      if (last !== undefined) {
        const { pods: _pods, ...nodesOnly } = last;
        kept.push(nodesOnly);
      }
      kept.push(sample);
      if (kept.length > KEPT) kept.shift();
      byCluster.set(sample.cluster, kept);
    },
    past: () => [...byCluster.values()].flat(),
  };
}
