import { pods as podResource } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { formatTime, isNotFound } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import { type Client, type EventRecorder, podReadyCondition } from '@orrery/client';

export interface UnreadyPodsDeps {
  readonly client: Pick<Client, 'updateStatus'>;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
}

/** The pod as of a node that has fallen silent; undefined when it does not say that it is ready. */
export function asUnready(pod: Pod, wallMs: number): Pod | undefined {
  const ready = podReadyCondition(pod);
  if (ready === undefined || ready.status === 'False') return undefined;
  const conditions = (pod.status.conditions ?? []).map((condition) =>
    condition === ready ? { ...condition, status: 'False', lastTransitionTime: formatTime(wallMs) } : condition,
  );
  return { ...pod, status: { ...pod.status, conditions } };
}

/** Takes the pods of a silent node out of their services: says that they are not ready. Rejects when some could not be marked. */
export async function markPodsNotReady(
  { client, clock, recorder }: UnreadyPodsDeps,
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<void> {
  const outcomes = await Promise.allSettled(
    pods.map(async (pod) => {
      const unready = asUnready(pod, clock.now());
      if (unready === undefined) return;
      try {
        await client.updateStatus(podResource, unready, { signal });
      } catch (error) {
        if (isNotFound(error)) return;
        throw error;
      }
      recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    }),
  );
  const errors = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as unknown);
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} pods could not be marked as not ready`);
}
