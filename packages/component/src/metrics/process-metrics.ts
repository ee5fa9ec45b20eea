import type { Clock } from '@orrery/base';
import type { MetricsRegistry } from './registry.ts';

/** Adds `process_*` under Prometheus' standard names. Values are read at each scrape. */
export function addProcessMetrics(registry: MetricsRegistry, clock: Clock): void {
  registry.counterReading({ name: 'process_cpu_seconds_total', help: 'Total user and system CPU time spent in seconds.' }, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  const rss = registry.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory size in bytes.' });
  const heap = registry.gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Heap in use by the JavaScript engine, in bytes.' });
  const start = registry.gauge({
    name: 'process_start_time_seconds',
    help: 'Start time of the process since unix epoch in seconds.',
  });
  start.set(Math.round(clock.now() / 1000 - process.uptime()));
  registry.onCollect(() => {
    const memory = process.memoryUsage();
    rss.set(memory.rss);
    heap.set(memory.heapUsed);
  });
}
