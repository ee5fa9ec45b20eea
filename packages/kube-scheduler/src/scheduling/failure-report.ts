import { pods } from '@orrery/api';
import type { Pod, PodCondition } from '@orrery/api/core/v1';
import { formatTime, isNotFound } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import { type Client, type EventRecorder, findCondition } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { PodInfo } from '../cache/pod-info.ts';
import { newTaskPool } from './task-pool.ts';

export interface Failure {
  /** `SchedulerError`: not the pod's fault. */
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  /** Empty: takes the nomination back. Absent: leaves it. */
  readonly nominatedNodeName?: string | undefined;
}

const REPORTS_MAX = 32;

/** Tells people and the API why a pod has no node. */
export class FailureReporter {
  readonly #client: Client;
  readonly #events: EventRecorder;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pool = newTaskPool(REPORTS_MAX);

  constructor({ client, events, clock, log }: { client: Client; events: EventRecorder; clock: Clock; log: Logger }) {
    this.#client = client;
    this.#events = events;
    this.#clock = clock;
    this.#log = log;
  }

  /** @param current - The pod as the API last showed it. */
  report(info: PodInfo, current: Pod, failure: Failure): void {
    this.#events.event(info.pod, 'Warning', 'FailedScheduling', failure.message, { action: 'Scheduling' });
    const patch = this.#patch(current, failure);
    if (patch !== undefined) this.#pool.run(() => this.#send(info, patch));
  }

  idle(): Promise<void> {
    return this.#pool.idle();
  }

  #patch({ metadata, status }: Pod, { reason, message, nominatedNodeName }: Failure): object | undefined {
    const old = findCondition(status?.conditions, 'PodScheduled');
    const observedGeneration = metadata.generation;
    const isSame =
      old?.status === 'False' && old.reason === reason && old.message === message && old.observedGeneration === observedGeneration;
    const isNominated = nominatedNodeName === undefined || nominatedNodeName === (status?.nominatedNodeName ?? '');
    if (isSame && isNominated) return undefined;
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      lastTransitionTime:
        old?.status === 'False' && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(this.#clock.now()),
      ...(observedGeneration === undefined ? {} : { observedGeneration }),
    };
    return {
      metadata: { uid: metadata.uid },
      status: {
        ...(isSame ? {} : { conditions: [condition] }),
        ...(isNominated ? {} : { nominatedNodeName: nominatedNodeName === '' ? null : nominatedNodeName }),
      },
    };
  }

  async #send({ pod, key }: PodInfo, patch: object): Promise<void> {
    const { name, namespace } = pod.metadata;
    try {
      await this.#client.patch(pods, { name, namespace }, 'strategic', patch, { subresource: 'status' });
    } catch (error) {
      if (!isNotFound(error)) this.#log.warn('the status of an unschedulable pod could not be written', { pod: key, error });
    }
  }
}
