import type { Event } from '@orrery/api/core/v1';
import type { Clock, Random } from '@orrery/base';
import { BoundedCache } from './bounded-cache.ts';

/** What is to be done about an event. */
export interface CorrelatedEvent {
  readonly event: Event;
  /** Identifies the series that it belongs to. */
  readonly key: string;
  /** True: an event of this series was sent before under the same name; its count grows. */
  readonly isRepeat: boolean;
}

// As client-go's record package.
const CACHE_ENTRIES = 4096;
/** Events that differ only in their message, within the interval, before they are told as one. */
const SIMILAR_MAX = 10;
const SIMILAR_INTERVAL_MS = 600_000;
/** Events that one source may send about one object at once, and then one every five minutes. */
const SPAM_BURST = 25;
const SPAM_PER_SECOND = 1 / 300;

interface Similar {
  readonly messages: Set<string>;
  lastMs: number;
}
interface Series {
  readonly name: string;
  readonly count: number;
  readonly firstTimestamp: string;
}

/** Counts repeated events, tells similar ones as one, and cuts floods: bounds what one broken object does to the store. */
export class EventCorrelator {
  readonly #clock: Clock;
  readonly #similar = new BoundedCache<Similar>(CACHE_ENTRIES);
  readonly #series = new BoundedCache<Series>(CACHE_ENTRIES);
  readonly #buckets = new BoundedCache<SpamBucket>(CACHE_ENTRIES);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined: one of a flood, not to be sent. */
  correlate(event: Event): CorrelatedEvent | undefined {
    const { message, key } = this.#aggregate(event);
    const seen = this.#series.get(key);
    const counted: Event = {
      ...event,
      message,
      ...(seen === undefined ? {} : { metadata: { ...event.metadata, name: seen.name }, firstTimestamp: seen.firstTimestamp }),
      count: (seen?.count ?? 0) + 1,
    };
    this.#remember(key, counted);
    return this.#isSpam(event) ? undefined : { event: counted, key, isRepeat: seen !== undefined };
  }

  /** The series of `key` is kept under another name now: its event had expired and was made again. */
  renamed(key: string, event: Event): void {
    this.#remember(key, event);
  }

  #remember(key: string, { metadata, count = 1, firstTimestamp = '' }: Event): void {
    this.#series.set(key, { name: metadata.name, count, firstTimestamp });
  }

  #aggregate(event: Event): { readonly message: string; readonly key: string } {
    const message = event.message ?? '';
    const groupKey = similarKey(event);
    const nowMs = this.#clock.monotonicMs();
    const known = this.#similar.get(groupKey);
    const group =
      known !== undefined && nowMs - known.lastMs <= SIMILAR_INTERVAL_MS ? known : { messages: new Set<string>(), lastMs: nowMs };
    group.messages.add(message);
    group.lastMs = nowMs;
    this.#similar.set(groupKey, group);
    if (group.messages.size < SIMILAR_MAX) return { message, key: `${groupKey}\u0000${message}` };
    for (const oldest of group.messages) {
      group.messages.delete(oldest); // Stays one below the limit: the next new message is similar as well.
      break;
    }
    return { message: `(combined from similar events): ${message}`, key: groupKey };
  }

  #isSpam(event: Event): boolean {
    const key = spamKey(event);
    const bucket = this.#buckets.get(key) ?? new SpamBucket(this.#clock);
    this.#buckets.set(key, bucket);
    return !bucket.take();
  }
}

/** Refuses instead of waiting. */
class SpamBucket {
  readonly #clock: Clock;
  #tokens = SPAM_BURST; // Invariant: between 0 and SPAM_BURST.
  #countedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedMs = clock.monotonicMs();
  }

  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(SPAM_BURST, this.#tokens + ((nowMs - this.#countedMs) / 1000) * SPAM_PER_SECOND);
    this.#countedMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

function spamKey({ source, involvedObject: on }: Event): string {
  return [source?.component, source?.host, on.kind, on.namespace, on.name, on.uid, on.apiVersion].join('\u0000');
}

function similarKey(event: Event): string {
  return [spamKey(event), event.involvedObject.fieldPath, event.type, event.reason, event.reportingInstance].join('\u0000');
}

/** Unique names for events: the object's name and the time in hexadecimal nanoseconds, as upstream. */
export class EventNames {
  readonly #clock: Clock;
  readonly #random: Random;
  #last = 0n; // Invariant: the time in the name given last.

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  next(object: string): string {
    // The clock counts milliseconds: chance fills the rest, so that processes do not collide.
    const nanos = BigInt(Math.floor(this.#clock.now())) * 1_000_000n + BigInt(this.#random.integer(1_000_000));
    this.#last = nanos > this.#last ? nanos : this.#last + 1n;
    const name = `${object}.${this.#last.toString(16)}`;
    return name.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) ? name : this.#random.uuid();
  }
}
