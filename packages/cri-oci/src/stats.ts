import { readFile } from 'node:fs/promises';
import type { ContainerStats } from '@orrery/cri';
import type { Container } from './container/container.ts';
import { NANOSECONDS_PER_MS } from './events.ts';
import type { Cgroups } from './host/cgroups.ts';
import type { ImageStore } from './images/image-store.ts';

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
const value = (line: string, name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(line)?.[1] ?? 0);

interface Usage {
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
  readonly inactiveFileBytes: number;
  readonly rssBytes: number;
  readonly limitBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
  readonly swapBytes: number;
}

const UNLIMITED_BYTES = 2 ** 62; // Version 1 writes a huge number for "none", version 2 "max".

/** What a group of processes uses now, and has used. Zeros where there is no such group. */
export async function cgroupUsage(cgroups: Cgroups, path: string): Promise<Usage> {
  const read = (controller: string, name: string): Promise<string> => text(cgroups.file(path, controller, name));
  if (cgroups.abilities.version === 2) {
    const [cpu, memory, stat, max, swap] = await Promise.all(
      [
        ['cpu', 'cpu.stat'],
        ['memory', 'memory.current'],
        ['memory', 'memory.stat'],
        ['memory', 'memory.max'],
        ['memory', 'memory.swap.current'],
      ].map(([controller = '', name = '']) => read(controller, name)),
    );
    return {
      cpuNanoseconds: value(cpu ?? '', 'usage_usec') * 1000,
      memoryBytes: Number(memory ?? 0),
      inactiveFileBytes: value(stat ?? '', 'inactive_file'),
      rssBytes: value(stat ?? '', 'anon'),
      limitBytes: Number.parseInt(max ?? '', 10) || 0,
      pageFaults: value(stat ?? '', 'pgfault'),
      majorPageFaults: value(stat ?? '', 'pgmajfault'),
      swapBytes: Number(swap ?? 0),
    };
  }
  const [cpu, memory, stat, max] = await Promise.all([
    read('cpuacct', 'cpuacct.usage'),
    read('memory', 'memory.usage_in_bytes'),
    read('memory', 'memory.stat'),
    read('memory', 'memory.limit_in_bytes'),
  ]);
  const limit = Number(max);
  return {
    cpuNanoseconds: Number(cpu),
    memoryBytes: Number(memory),
    inactiveFileBytes: value(stat, 'total_inactive_file'),
    rssBytes: value(stat, 'total_rss'),
    limitBytes: limit < UNLIMITED_BYTES ? limit : 0,
    pageFaults: value(stat, 'total_pgfault'),
    majorPageFaults: value(stat, 'total_pgmajfault'),
    swapBytes: value(stat, 'total_swap'),
  };
}

/** Statistics of containers that run. The working set is what cannot be given back at once: usage without inactive page cache. */
export async function containerStats(
  containers: readonly Container[],
  { cgroups, images, nowMs }: { readonly cgroups: Cgroups; readonly images: ImageStore; readonly nowMs: number },
): Promise<readonly ContainerStats[]> {
  const { mountpoint } = await images.fsInfo();
  const timestamp = nowMs * NANOSECONDS_PER_MS;
  return Promise.all(
    containers.map(async ({ record }) => {
      const { id, config, cgroupPath } = record;
      const [usage, layer] = await Promise.all([cgroupUsage(cgroups, cgroupPath), images.snapshotUsage(id)]);
      const workingSet = Math.max(0, usage.memoryBytes - usage.inactiveFileBytes);
      return {
        attributes: {
          id,
          ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
          labels: config.labels ?? {},
          annotations: config.annotations ?? {},
        },
        cpu: { timestamp, usageCoreNanoSeconds: { value: usage.cpuNanoseconds } },
        memory: {
          timestamp,
          workingSetBytes: { value: workingSet },
          usageBytes: { value: usage.memoryBytes },
          rssBytes: { value: usage.rssBytes },
          pageFaults: { value: usage.pageFaults },
          majorPageFaults: { value: usage.majorPageFaults },
          ...(usage.limitBytes > 0 ? { availableBytes: { value: Math.max(0, usage.limitBytes - workingSet) } } : {}),
        },
        swap: { timestamp, swapUsageBytes: { value: usage.swapBytes } },
        writableLayer: {
          timestamp,
          fsId: { mountpoint },
          usedBytes: { value: layer.usedBytes },
          inodesUsed: { value: layer.inodesUsed },
        },
      };
    }),
  );
}
