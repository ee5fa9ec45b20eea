import { readFile } from 'node:fs/promises';
import { formatTime } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { ContainerStats, Runtime } from '@orrery/cri';
import type { Machine } from '../node/machine.ts';
import type { NodeAgent } from '../node/node-agent.ts';
import { containerNameLabel, podNameLabel, podNamespaceLabel, podUidLabel } from '../pod/labels.ts';
import { msOfNanos } from '../runtime/pod-state.ts';
import type { PodWorkers } from '../worker/pod-workers.ts';
import { nodeStats, pageFaults } from './node-stats.ts';

const NANOS_PER_TICK = 1e7; // 100 ticks a second: USER_HZ.

function usage({ cpu, memory }: ContainerStats): object {
  const time = formatTime(msOfNanos(cpu?.timestamp ?? memory?.timestamp));
  return {
    cpu: {
      time,
      ...(cpu?.usageNanoCores?.value === undefined ? {} : { usageNanoCores: cpu.usageNanoCores.value }),
      usageCoreNanoSeconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
    },
    memory: {
      time,
      usageBytes: memory?.usageBytes?.value ?? memory?.workingSetBytes?.value ?? 0,
      workingSetBytes: memory?.workingSetBytes?.value ?? 0,
      rssBytes: memory?.rssBytes?.value ?? memory?.workingSetBytes?.value ?? 0,
    },
  };
}

/** A pod uses what its containers use; its sandbox's own process is too small to be told. */
function podUsage(containers: readonly ContainerStats[], time: string): object {
  const sum = (read: (entry: ContainerStats) => number | undefined): number =>
    containers.reduce((total, entry) => total + (read(entry) ?? 0), 0);
  return {
    cpu: { time, usageCoreNanoSeconds: sum(({ cpu }) => cpu?.usageCoreNanoSeconds?.value) },
    memory: {
      time,
      usageBytes: sum(({ memory }) => memory?.usageBytes?.value ?? memory?.workingSetBytes?.value),
      workingSetBytes: sum(({ memory }) => memory?.workingSetBytes?.value),
      rssBytes: sum(({ memory }) => memory?.rssBytes?.value ?? memory?.workingSetBytes?.value),
    },
  };
}

/** The machine's own use, since it was started. */
async function nodeUsage(machine: Machine, time: string): Promise<NodeUsage> {
  const [stat, meminfo] = await Promise.all([
    readFile('/proc/stat', 'utf8').catch(() => ''),
    readFile('/proc/meminfo', 'utf8').catch(() => ''),
  ]);
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (stat.split('\n')[0] ?? '').split(/\s+/).map(Number);
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0) * 1024;
  const used = machine.memoryBytes - available;
  return {
    cpu: { time, usageCoreNanoSeconds: (user + nice + system + irq + softirq) * NANOS_PER_TICK },
    memory: { time, availableBytes: available, usageBytes: used, workingSetBytes: used },
  };
}

/** Source: k8s.io/kubelet/pkg/apis/stats/v1alpha1 Summary. */
export async function summary(deps: {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly workers: PodWorkers;
  readonly machine: Machine;
  readonly agent: NodeAgent;
  readonly rootDirectory: string;
}): Promise<object> {
  const { runtime, clock, workers, machine, agent, rootDirectory } = deps;
  const { stats = [] } = await runtime.listContainerStats({});
  const time = formatTime(clock.now());
  const byPod = new Map<string, ContainerStats[]>();
  for (const entry of stats) {
    const uid = entry.attributes?.labels?.[podUidLabel] ?? '';
    byPod.set(uid, [...(byPod.get(uid) ?? []), entry]);
  }
  const pods = workers.list().map(({ metadata, status }) => {
    const own = byPod.get(metadata.uid) ?? [];
    return {
      podRef: { name: metadata.name, namespace: metadata.namespace ?? '', uid: metadata.uid },
      startTime: status?.startTime ?? null,
      containers: own.map((entry) => ({
        name: entry.attributes?.labels?.[containerNameLabel] ?? '',
        startTime: status?.startTime ?? null,
        ...usage(entry),
      })),
      ...podUsage(own, time),
    };
  });
  const { imageFilesystems = [] } = await runtime.imageFsInfo({}).catch(() => ({ imageFilesystems: [] }));
  const images = imageFilesystems[0]?.fsId?.mountpoint || rootDirectory;
  const [used, own, faults] = await Promise.all([nodeUsage(machine, time), nodeStats(rootDirectory, images, clock.now()), pageFaults()]);
  const memory = { ...used.memory, ...faults };
  return { node: { nodeName: agent.node?.metadata.name ?? '', ...own, cpu: used.cpu, memory }, pods };
}

/** What metrics servers read. Source: kubelet resource metrics (KEP-727). */
export async function resourceMetrics(deps: { readonly runtime: Runtime; readonly machine: Machine }): Promise<string> {
  const { stats = [] } = await deps.runtime.listContainerStats({});
  const node = await nodeUsage(deps.machine, '');
  const lines = [
    '# TYPE node_cpu_usage_seconds_total counter',
    `node_cpu_usage_seconds_total ${node.cpu.usageCoreNanoSeconds / NANOS_PER_SECOND}`,
    '# TYPE node_memory_working_set_bytes gauge',
    `node_memory_working_set_bytes ${node.memory.workingSetBytes}`,
    '# TYPE container_cpu_usage_seconds_total counter',
    ...stats.map(
      (entry) => `container_cpu_usage_seconds_total${labelsOf(entry)} ${(entry.cpu?.usageCoreNanoSeconds?.value ?? 0) / NANOS_PER_SECOND}`,
    ),
    '# TYPE container_memory_working_set_bytes gauge',
    ...stats.map((entry) => `container_memory_working_set_bytes${labelsOf(entry)} ${entry.memory?.workingSetBytes?.value ?? 0}`),
  ];
  return `${lines.join('\n')}\n`;
}

const NANOS_PER_SECOND = 1e9;

interface NodeUsage {
  readonly cpu: { readonly time: string; readonly usageCoreNanoSeconds: number };
  readonly memory: {
    readonly time: string;
    readonly availableBytes: number;
    readonly usageBytes: number;
    readonly workingSetBytes: number;
  };
}

const labelsOf = ({ attributes }: ContainerStats): string => {
  const { [containerNameLabel]: container = '', [podNamespaceLabel]: namespace = '', [podNameLabel]: pod = '' } = attributes?.labels ?? {};
  return `{container="${container}",namespace="${namespace}",pod="${pod}"}`;
};

/** The part of cAdvisor's metrics that dashboards look at. */
export async function containerMetrics(runtime: Runtime): Promise<string> {
  const { stats = [] } = await runtime.listContainerStats({});
  const family = (name: string, type: 'counter' | 'gauge', help: string, read: (entry: ContainerStats) => number | undefined): string[] => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...stats.flatMap((entry) => {
      const value = read(entry);
      return value === undefined ? [] : [`${name}${labelsOf(entry)} ${value}`];
    }),
  ];
  const seconds = ({ cpu }: ContainerStats): number | undefined => {
    const nanos = cpu?.usageCoreNanoSeconds?.value;
    return nanos === undefined ? undefined : nanos / NANOS_PER_SECOND;
  };
  const lines = [
    ...family('container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed in seconds.', seconds),
    ...family('container_memory_rss', 'gauge', 'Size of RSS in bytes.', ({ memory }) => memory?.rssBytes?.value),
    ...family('container_memory_usage_bytes', 'gauge', 'Current memory usage in bytes.', ({ memory }) => memory?.usageBytes?.value),
    ...family(
      'container_memory_working_set_bytes',
      'gauge',
      'Current working set in bytes.',
      ({ memory }) => memory?.workingSetBytes?.value,
    ),
  ];
  return `${lines.join('\n')}\n`;
}
