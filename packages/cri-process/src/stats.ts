import type { ContainerStats } from '@orrery/cri';
import type { Container } from './container.ts';
import { NANOSECONDS_PER_MS } from './events.ts';
import { usageBySession } from './process-table.ts';

/** CPU and memory of running containers, by the session of each one's supervisor. */
export async function containerStats(containers: readonly Container[], nowMs: number): Promise<readonly ContainerStats[]> {
  const usage = await usageBySession();
  const timestamp = nowMs * NANOSECONDS_PER_MS;
  return containers.flatMap(({ record, state }) => {
    const used = usage.get(record.supervisorPid);
    if (state !== 'CONTAINER_RUNNING' || used === undefined) return [];
    const { id, config } = record;
    return [
      {
        attributes: {
          id,
          ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
          labels: config.labels ?? {},
          annotations: config.annotations ?? {},
        },
        cpu: { timestamp, usageCoreNanoSeconds: { value: used.cpuMs * NANOSECONDS_PER_MS } },
        memory: { timestamp, workingSetBytes: { value: used.memoryBytes }, usageBytes: { value: used.memoryBytes } },
      },
    ];
  });
}
