/** What metrics need of a kubelet's `/stats/summary`. Source: k8s.io/kubelet/pkg/apis/stats/v1alpha1 Summary. */
export interface Usage {
  readonly cpu?: { readonly usageCoreNanoSeconds?: number };
  readonly memory?: { readonly workingSetBytes?: number };
}

export interface PodStats {
  readonly podRef: { readonly name: string; readonly namespace: string };
  readonly containers?: readonly (Usage & { readonly name: string })[];
}

export interface Summary {
  readonly node: Usage;
  readonly pods?: readonly PodStats[];
}

/** A summary and when it was taken, on the monotonic clock. */
export interface Sample {
  readonly summary: Summary;
  readonly atMs: number;
}

/** What something used between two samples. */
export interface Rate {
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
}

/** Undefined when either sample lacks it, or when it was started in between: its counter went back. */
export function rateOf(before: Usage | undefined, after: Usage | undefined, windowMs: number): Rate | undefined {
  const [first, last] = [before?.cpu?.usageCoreNanoSeconds, after?.cpu?.usageCoreNanoSeconds];
  const memoryBytes = after?.memory?.workingSetBytes;
  if (first === undefined || last === undefined || memoryBytes === undefined || last < first || windowMs <= 0) return undefined;
  return { cpuNanoCores: Math.round(((last - first) * 1000) / windowMs), memoryBytes };
}
