import { newWorkQueueMetrics, type WorkQueueMetrics } from '@orrery/client';
import type { MetricsRegistry } from '@orrery/component';

export type ReconcileOutcome = 'success' | 'error' | 'requeue_after';

/** Metrics of every controller of a process. */
export interface ControllerMetrics {
  queue(controller: string): WorkQueueMetrics;
  reconciled(controller: string, outcome: ReconcileOutcome, durationMs: number): void;
}

const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Registers `workqueue_*` under upstream's names and `controller_runtime_reconcile_*` under controller-runtime's. Once per registry. */
export function newControllerMetrics(registry: MetricsRegistry): ControllerMetrics {
  const total = registry.counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Total number of reconciliations per controller',
    labels: ['controller', 'result'],
  });
  const duration = registry.histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Length of time per reconciliation per controller',
    labels: ['controller'],
    buckets: DURATION_BUCKETS,
  });
  return {
    queue: newWorkQueueMetrics(registry),
    reconciled(controller, outcome, durationMs) {
      total.inc([controller, outcome]);
      duration.observe(durationMs / 1000, [controller]);
    },
  };
}
