import { events } from '@orrery/api';
import type { Event, ObjectReference } from '@orrery/api/core/v1';
import { formatTime, isNotFound, isStatusError, type KubeObject } from '@orrery/apimachinery';
import { type Clock, newQueue, type Queue, type Random, systemRandom } from '@orrery/base';
import { type Logger, silentLogger } from '@orrery/component';
import type { Client } from '../client.ts';
import { isConnectionError } from '../http/https-transport.ts';
import { type CorrelatedEvent, EventCorrelator, EventNames } from './event-correlator.ts';
import type { EventOptions, EventRecorder } from './event-recorder.ts';

export interface EventRecorderOptions {
  readonly client: Pick<Client, 'create' | 'patch'>;
  readonly clock: Clock;
  /** For names. @default the system's */
  readonly random?: Random;
  /** Who tells: `kubelet`, `deployment-controller`. Becomes `source.component` and `reportingComponent`. */
  readonly component: string;
  /** Node that it runs on. @default none */
  readonly host?: string;
  readonly log?: Logger;
}

export interface RunningEventRecorder extends EventRecorder, AsyncDisposable {
  /** Resolves when everything recorded so far was sent or given up. */
  flush(): Promise<void>;
  /** Gives up what was not sent. Later events are dropped. */
  close(): Promise<void>;
}

/** Events about one object go through one lane, in order; lanes work side by side. */
const LANES = 8;
/** Events that may wait in a lane; further ones are dropped. */
const LANE_CAPACITY = 1000;
// As client-go: twelve tries, ten seconds apart, while the server is away.
const ATTEMPTS_MAX = 12;
const RETRY_MS = 10_000;
const MESSAGE_BYTES_MAX = 1024;

/** Sends events to the core API. Source: client-go's record package. */
export function newEventRecorder(options: EventRecorderOptions): RunningEventRecorder {
  return new Recorder(options);
}

class Recorder implements RunningEventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #log: Logger;
  readonly #names: EventNames;
  readonly #correlator: EventCorrelator;
  readonly #stop = new AbortController();
  readonly #lanes: readonly Queue<CorrelatedEvent>[];
  readonly #running: readonly Promise<void>[];
  #unsent = 0; // Invariant: events in lanes and under way.
  #idle: (() => void)[] = []; // Called when #unsent reaches 0.

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#log = (options.log ?? silentLogger).with({ component: options.component });
    this.#names = new EventNames(options.clock, options.random ?? systemRandom);
    this.#correlator = new EventCorrelator(options.clock);
    this.#lanes = Array.from({ length: LANES }, () => newQueue<CorrelatedEvent>({ capacity: LANE_CAPACITY }));
    this.#running = this.#lanes.map((lane) => this.#work(lane));
  }

  event(
    regarding: KubeObject | ObjectReference,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options: EventOptions = {},
  ): void {
    if (this.#stop.signal.aborted) return;
    const made = this.#make(referenceTo(regarding), type, reason, cut(message), options);
    const correlated = this.#correlator.correlate(made);
    if (correlated === undefined) return;
    const lane = this.#lanes[laneOf(made.involvedObject)];
    if (lane?.push(correlated) === true) this.#unsent += 1;
    else this.#log.warn('too many events wait; one was dropped', { reason });
  }

  flush(): Promise<void> {
    return this.#unsent === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    for (const lane of this.#lanes) lane.abort();
    await Promise.all(this.#running);
    this.#unsent = 0;
    this.#settle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #make(on: ObjectReference, type: string, reason: string, message: string, { related, action, annotations }: EventOptions): Event {
    const { clock, component, host = '' } = this.#options;
    const now = formatTime(clock.now());
    return {
      apiVersion: 'v1',
      kind: 'Event',
      // The server fills in the rest of the metadata.
      metadata: {
        name: this.#names.next(on.name ?? ''),
        namespace: on.namespace || 'default',
        ...(annotations === undefined ? {} : { annotations }),
      } as Event['metadata'],
      involvedObject: on,
      ...(related === undefined ? {} : { related: referenceTo(related) }),
      ...(action === undefined ? {} : { action }),
      type,
      reason,
      message,
      source: { component, ...(host === '' ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
  }

  async #work(lane: Queue<CorrelatedEvent>): Promise<void> {
    for await (const correlated of lane) {
      await this.#send(correlated);
      this.#unsent -= 1;
      if (this.#unsent === 0) this.#settle();
    }
  }

  #settle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Sends, again and again while the server is away. Never rejects: events are not worth a failure. */
  async #send(correlated: CorrelatedEvent): Promise<void> {
    const { signal } = this.#stop;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        await this.#write(correlated, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const { reason } = correlated.event;
        if (isStatusError(error) && !isConnectionError(error)) {
          this.#log.debug('the server refused an event', { reason, error });
          return;
        }
        if (attempt >= ATTEMPTS_MAX) {
          this.#log.warn('an event could not be sent', { reason, error });
          return;
        }
        await this.#options.clock.sleep(RETRY_MS, signal).catch(() => {}); // Aborted: the loop ends.
      }
    }
  }

  async #write({ event, key, isRepeat }: CorrelatedEvent, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    if (!isRepeat) {
      await client.create<Event>(events, event, { signal });
      return;
    }
    const { count, lastTimestamp, message } = event;
    try {
      await client.patch<Event>(events, event.metadata, 'strategic', { count, lastTimestamp, message }, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // It has expired: the series goes on under a new name.
      const again: Event = { ...event, metadata: { ...event.metadata, name: this.#names.next(event.involvedObject.name ?? '') } };
      this.#correlator.renamed(key, again);
      await client.create<Event>(events, again, { signal });
    }
  }
}

function referenceTo(object: KubeObject | ObjectReference): ObjectReference {
  if (!('metadata' in object)) return object;
  const { apiVersion, kind, metadata } = object;
  const { name, namespace, uid, resourceVersion } = metadata;
  return { kind, ...(namespace === undefined ? {} : { namespace }), name, uid, apiVersion, resourceVersion };
}

/** At most 1024 bytes, in whole characters. */
function cut(message: string): string {
  if (message.length * 3 <= MESSAGE_BYTES_MAX || Buffer.byteLength(message) <= MESSAGE_BYTES_MAX) return message;
  const bytes = Buffer.from(message).subarray(0, MESSAGE_BYTES_MAX - 3);
  return `${bytes.toString('utf8').replace(/\uFFFD+$/, '')}...`;
}

function laneOf({ name = '', namespace = '' }: ObjectReference): number {
  let sum = 0;
  for (const char of `${namespace}/${name}`) sum = (sum * 31 + char.charCodeAt(0)) >>> 0;
  return sum % LANES;
}
