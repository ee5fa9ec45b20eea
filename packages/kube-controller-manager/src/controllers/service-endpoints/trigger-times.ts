import type { Pod, Service } from '@orrery/api/core/v1';
import { keyOf } from '@orrery/apimachinery';
import { podReadyCondition } from '@orrery/client';

/** When what endpoints show last changed: measures how long the network takes to follow. */
export const TRIGGER_TIME_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Remembers, for each service, the times that have been seen. Source: TriggerTimeTracker. */
export interface TriggerTimes {
  /** The earliest change since the last call for this service; undefined: none. RFC 3339. */
  changedAt(service: Service, pods: readonly Pod[]): string | undefined;
  /** The service of this key is gone. */
  forget(key: string): void;
}

interface Seen {
  readonly service: string;
  readonly pods: ReadonlyMap<string, string>;
}

export function newTriggerTimes(): TriggerTimes {
  const states = new Map<string, Seen>();
  return {
    changedAt(service, pods) {
      const key = keyOf(service);
      const before = states.get(key);
      const serviceTime = service.metadata.creationTimestamp ?? '';
      const podTimes = new Map<string, string>();
      let first: string | undefined;
      for (const pod of pods) {
        const time = podReadyCondition(pod)?.lastTransitionTime;
        if (time === undefined) continue;
        podTimes.set(pod.metadata.name, time);
        // Whole seconds in UTC: the order of the texts is the order of the times.
        if (time > (before?.pods.get(pod.metadata.name) ?? '') && (first === undefined || time < first)) first = time;
      }
      if (serviceTime > (before?.service ?? '') && (first === undefined || serviceTime < first)) first = serviceTime;
      states.set(key, { service: serviceTime, pods: podTimes });
      return before === undefined ? service.metadata.creationTimestamp : first;
    },
    forget: (key) => void states.delete(key),
  };
}

type Annotations = { readonly [key: string]: string } | undefined;

/** The annotations with the time in them, or without one. Undefined: none are left. */
export function withTriggerTime(annotations: Annotations, time: string | undefined): Annotations {
  const { [TRIGGER_TIME_ANNOTATION]: _old, ...others } = annotations ?? {};
  const next = time === undefined ? others : { ...others, [TRIGGER_TIME_ANNOTATION]: time };
  return Object.keys(next).length === 0 ? undefined : next;
}
