import type { ObjectReference } from '@orrery/api/core/v1';
import type { KubeObject } from '@orrery/apimachinery';

export interface EventOptions {
  /** A second object that the event is about, as the pod of a ReplicaSet's event. */
  readonly related?: KubeObject | ObjectReference;
  /** What was done, as a verb in UpperCamelCase: `Binding`. Absent from core events when it is absent here. */
  readonly action?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Tells people, through the API, what happened to an object. For people only: no component may act on events. */
export interface EventRecorder {
  /**
   * Never throws, never waits: events are sent in the background, repeated ones are counted, floods are cut.
   * @param type - `Warning` for what somebody should look at.
   * @param reason - UpperCamelCase, constant, at most 128 characters: `FailedScheduling`.
   * @param message - One sentence for people, at most 1024 bytes; longer ones are cut.
   */
  event(regarding: KubeObject | ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string, options?: EventOptions): void;
}

/** Drops everything. */
export const silentEventRecorder: EventRecorder = { event() {} };
