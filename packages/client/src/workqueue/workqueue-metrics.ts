import type { MetricsRegistry } from '@orrery/component';
import type { WorkQueueMetrics } from './workqueue.ts';

/** 10 ns to 10 s by tens, as upstream's workqueue metrics. */
const DURATION_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10];

/** Registers the `workqueue_*` metrics under upstream's names, once; the result makes the metrics of each queue by name. */
export function newWorkQueueMetrics(registry: MetricsRegistry): (queue: string) => WorkQueueMetrics {
  const labels = ['name'];
  const depth = registry.gauge({ name: 'workqueue_depth', help: 'Current depth of workqueue', labels });
  const adds = registry.counter({ name: 'workqueue_adds_total', help: 'Total number of adds handled by workqueue', labels });
  const retries = registry.counter({ name: 'workqueue_retries_total', help: 'Total number of retries handled by workqueue', labels });
  const waited = registry.histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long in seconds an item stays in workqueue before being requested.',
    labels,
    buckets: DURATION_BUCKETS,
  });
  const worked = registry.histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long in seconds processing an item from workqueue takes.',
    labels,
    buckets: DURATION_BUCKETS,
  });
  return (queue) => {
    const values = [queue];
    return {
      depth: (items) => depth.set(items, values),
      added: () => adds.inc(values),
      retried: () => retries.inc(values),
      waited: (durationMs) => waited.observe(durationMs / 1000, values),
      worked: (durationMs) => worked.observe(durationMs / 1000, values),
    };
  };
}
