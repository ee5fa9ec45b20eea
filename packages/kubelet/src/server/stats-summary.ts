import { readFile } from 'node:fs/promises';
import { formatTime } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { ContainerStats, Runtime } from '@orrery/cri';
import type { Machine } from '../node/machine.ts';
import type { NodeAgent } from '../node/node-agent.ts';
import { containerNameLabel, podUidLabel } from '../pod/labels.ts';
import { msOfNanos } from '../runtime/pod-state.ts';
import type { PodWorkers } from '../worker/pod-workers.ts';

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

/** The machine's own use, since it was started. */
async function nodeUsage(machine: Machine, time: string): Promise<object> {
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
}): Promise<object> {
  const { runtime, clock, workers, machine, agent } = deps;
  const { stats = [] } = await runtime.listContainerStats({});
  const time = formatTime(clock.now());
  const pods = workers.list().map(({ metadata, status }) => ({
    podRef: { name: metadata.name, namespace: metadata.namespace ?? '', uid: metadata.uid },
    startTime: status?.startTime ?? null,
    containers: stats
      .filter(({ attributes }) => attributes?.labels?.[podUidLabel] === metadata.uid)
      .map((entry) => ({
        name: entry.attributes?.labels?.[containerNameLabel] ?? '',
        startTime: status?.startTime ?? null,
        ...usage(entry),
      })),
  }));
  return { node: { nodeName: agent.node?.metadata.name ?? '', startTime: null, ...(await nodeUsage(machine, time)) }, pods };
}
