import { type Clock, newQueue, type Queue } from '@orrery/base';
import type { ContainerEventResponse, ContainerEventType, PodSandboxStatus } from '@orrery/cri';

/** What happens to containers, told to everybody who listens. */
export interface EventHub {
  /** @param podSandboxStatus - Of the sandbox that the container is in; absent when that is gone. */
  publish(containerId: string, type: ContainerEventType, podSandboxStatus: PodSandboxStatus | undefined): void;
  subscribe(signal: AbortSignal | undefined): AsyncIterable<ContainerEventResponse>;
  close(): void;
}

/** Events that a slow listener may lag behind; past that it is cut off and has to list again. */
const LAG_MAX = 10_000;
export const NANOSECONDS_PER_MS = 1_000_000;

export function newEventHub(clock: Clock): EventHub {
  const queues = new Set<Queue<ContainerEventResponse>>();
  return {
    publish(containerId, containerEventType, podSandboxStatus) {
      const createdAt = clock.now() * NANOSECONDS_PER_MS;
      const event = { containerId, containerEventType, createdAt, ...(podSandboxStatus === undefined ? {} : { podSandboxStatus }) };
      for (const queue of queues) {
        if (queue.push(event)) continue;
        queue.close(new Error(`the listener lags ${LAG_MAX} events behind`));
        queues.delete(queue);
      }
    },
    async *subscribe(signal) {
      const queue = newQueue<ContainerEventResponse>({ capacity: LAG_MAX });
      queues.add(queue);
      const end = (): void => queue.close();
      signal?.addEventListener('abort', end, { once: true });
      if (signal?.aborted === true) end();
      try {
        yield* queue;
      } finally {
        queues.delete(queue);
        signal?.removeEventListener('abort', end);
      }
    },
    close() {
      for (const queue of queues) queue.close();
      queues.clear();
    },
  };
}
