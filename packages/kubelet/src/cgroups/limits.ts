/** What a control group may use. Absent: left as it is. */
export interface CgroupLimits {
  /** Weight among siblings, 2–262144; 1024 is one cpu. */
  readonly cpuShares?: number;
  /** Microseconds of cpu per period of 100 ms; -1: no limit. */
  readonly cpuQuotaUs?: number;
  /** -1: no limit. */
  readonly memoryBytes?: number;
  /** Processes and threads; -1: no limit. */
  readonly pidsMax?: number;
  /** Bytes by page size as `2MB`. */
  readonly hugepageBytes?: Readonly<Record<string, number>>;
}

/** One file to write in a group's directory of a controller. */
export interface LimitFile {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

export const QUOTA_PERIOD_US = 100_000;

/** A weight of version 2, 1–10000. Source: cm.getCPUWeight. */
export const cpuWeight = (shares: number): number =>
  shares >= 262_144 ? 10_000 : 1 + Math.floor(((Math.max(2, shares) - 2) * 9999) / 262_142);

const orMax = (value: number): string => (value < 0 ? 'max' : String(value));

function version1({ cpuShares, cpuQuotaUs, memoryBytes, pidsMax, hugepageBytes = {} }: CgroupLimits): LimitFile[] {
  const files: LimitFile[] = [];
  if (cpuShares !== undefined) files.push({ controller: 'cpu', file: 'cpu.shares', value: String(cpuShares) });
  if (cpuQuotaUs !== undefined) {
    files.push({ controller: 'cpu', file: 'cpu.cfs_period_us', value: String(QUOTA_PERIOD_US) });
    files.push({ controller: 'cpu', file: 'cpu.cfs_quota_us', value: String(cpuQuotaUs) });
  }
  if (memoryBytes !== undefined) files.push({ controller: 'memory', file: 'memory.limit_in_bytes', value: String(memoryBytes) });
  if (pidsMax !== undefined) files.push({ controller: 'pids', file: 'pids.max', value: orMax(pidsMax) });
  for (const [size, bytes] of Object.entries(hugepageBytes)) {
    files.push({ controller: 'hugetlb', file: `hugetlb.${size}.limit_in_bytes`, value: String(bytes) });
  }
  return files;
}

function version2({ cpuShares, cpuQuotaUs, memoryBytes, pidsMax, hugepageBytes = {} }: CgroupLimits): LimitFile[] {
  const files: LimitFile[] = [];
  if (cpuShares !== undefined) files.push({ controller: '', file: 'cpu.weight', value: String(cpuWeight(cpuShares)) });
  if (cpuQuotaUs !== undefined) files.push({ controller: '', file: 'cpu.max', value: `${orMax(cpuQuotaUs)} ${QUOTA_PERIOD_US}` });
  if (memoryBytes !== undefined) files.push({ controller: '', file: 'memory.max', value: orMax(memoryBytes) });
  if (pidsMax !== undefined) files.push({ controller: '', file: 'pids.max', value: orMax(pidsMax) });
  for (const [size, bytes] of Object.entries(hugepageBytes)) {
    files.push({ controller: '', file: `hugetlb.${size}.max`, value: String(bytes) });
  }
  return files;
}

/** The files that set `limits`, in the order to write them. */
export const limitFiles = (version: 1 | 2, limits: CgroupLimits): readonly LimitFile[] =>
  version === 1 ? version1(limits) : version2(limits);
