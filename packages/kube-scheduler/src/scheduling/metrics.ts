import type { Counter, Histogram, MetricsRegistry } from '@orrery/component';
import type { SchedulingQueue } from '../queue/scheduling-queue.ts';

/** What the scheduler counts. Names as upstream. */
export interface SchedulerMetrics {
  attempt(result: 'scheduled' | 'unschedulable' | 'error', profile: string, seconds: number): void;
  readonly algorithmSeconds: Pick<Histogram, 'observe'>;
  readonly podAttempts: Pick<Histogram, 'observe'>;
  readonly preemptionAttempts: Pick<Counter, 'inc'>;
}

const secondBuckets = Array.from({ length: 15 }, (_, at) => 0.001 * 2 ** at);

/** @param registry - Absent: nothing is counted. */
export function newSchedulerMetrics(registry: MetricsRegistry | undefined, queue: Pick<SchedulingQueue, 'sizes'>): SchedulerMetrics {
  if (registry === undefined) return silent;
  const labels = ['result', 'profile'];
  const attempts = registry.counter({
    name: 'scheduler_schedule_attempts_total',
    help: 'Number of attempts to schedule pods, by the result.',
    labels,
  });
  const seconds = registry.histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: 'Scheduling attempt latency in seconds (scheduling algorithm + binding)',
    labels,
    buckets: secondBuckets,
  });
  const pending = registry.gauge({ name: 'scheduler_pending_pods', help: 'Number of pending pods, by the queue type.', labels: ['queue'] });
  registry.onCollect(() => {
    for (const [name, size] of Object.entries(queue.sizes)) pending.set(size, [name]);
  });
  return {
    attempt(result, profile, took) {
      attempts.inc([result, profile]);
      seconds.observe(took, [result, profile]);
    },
    algorithmSeconds: registry.histogram({
      name: 'scheduler_scheduling_algorithm_duration_seconds',
      help: 'Scheduling algorithm latency in seconds',
      buckets: secondBuckets,
    }),
    podAttempts: registry.histogram({
      name: 'scheduler_pod_scheduling_attempts',
      help: 'Number of attempts to successfully schedule a pod.',
      buckets: [1, 2, 4, 8, 16],
    }),
    preemptionAttempts: registry.counter({
      name: 'scheduler_preemption_attempts_total',
      help: 'Total preemption attempts in the cluster till now',
    }),
  };
}

const ignore = { observe() {}, inc() {} };
const silent: SchedulerMetrics = { attempt() {}, algorithmSeconds: ignore, podAttempts: ignore, preemptionAttempts: ignore };
