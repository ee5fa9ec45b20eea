import type { KubeObject, Resource, WatchEvent } from '@orrery/apimachinery';
import { isExpired, isStatusError, keyOf } from '@orrery/apimachinery';
import { anySignal, backoffDelayMs, type Clock, type Random, timeoutSignal, withJitter } from '@orrery/base';
import type { Client, Scope } from '../client.ts';
import { listAll } from './list-all.ts';

/** Where a reflector puts what it hears. One call at a time: the next comes when the one before has settled. */
export interface ReflectorSink<T extends KubeObject> {
  /**
   * `items` is everything there is; whatever else the sink holds is gone. Lets others run now and then; stopped by `signal` halfway, it
   * leaves a mixture, which the next call mends.
   */
  replace(items: readonly T[], signal: AbortSignal): Promise<void>;
  /** Events in the server's order, none missing since the last `replace`. Bookmarks are kept from the sink. */
  apply(event: WatchEvent<T>): void;
}

export interface Reflector {
  /** Everything up to here is in the sink; empty before the first list. */
  readonly resourceVersion: string;
  /** Lists and watches until `signal` aborts, then resolves. Never rejects. Run again, it resumes. */
  run(signal: AbortSignal): Promise<void>;
}

/** What is watched: selectors hold for the life of the reflector. */
export type ReflectorScope = Pick<Scope, 'namespace' | 'labelSelector' | 'fieldSelector'>;

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: Pick<Client, 'list' | 'watch'>;
  readonly resource: Resource<T>;
  readonly scope: ReflectorScope;
  readonly sink: ReflectorSink<T>;
  readonly clock: Clock;
  /** Spreads retries and watch lifetimes. Absent: none of that, exact values. */
  readonly random?: Random | undefined;
  /** Failures, each about to be retried. A watch that ends or expires is none. */
  readonly onError: (error: unknown) => void;
}

// As upstream's reflector: 800 ms doubling to 30 s, each plus up to itself.
const BACKOFF = { baseDelayMs: 800, maxDelayMs: 30_000 } as const;
/** A watch that ends sooner, without an event, counts as a failure: nothing may spin. */
const WATCH_MS_MIN = 1000;
/** Watches live 5 to 10 minutes, so that clients move between servers. */
const WATCH_SECONDS_MIN = 300;
/** Past its lifetime by this much, a watch that the server did not end hangs on a dead connection. */
const WATCH_GRACE_MS = 30_000;
/** Failed watches in a row before the revision itself is mistrusted (a restored server has gone back) and everything is listed again. */
const WATCH_FAILURES_MAX = 3;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

export function newReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector {
  return new ListWatchReflector(options);
}

class ListWatchReflector<T extends KubeObject> implements Reflector {
  readonly #options: ReflectorOptions<T>;
  #resourceVersion = '';
  /** True: the sink is whole up to #resourceVersion, a watch can go on from there. */
  #listed = false;
  /** False once the server has refused to stream the initial state: it is listed in pages instead. */
  #streamsInitial = true;
  #failures = 0; // Invariant: failures in a row since the last thing heard from the server.

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (!this.#listed && !this.#streamsInitial) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (!signal.aborted) await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, resource, scope, sink } = this.#options;
    const { items, resourceVersion } = await listAll(client, resource, { ...scope, signal });
    await sink.replace(items, signal);
    if (signal.aborted) return;
    this.#heard(resourceVersion);
    this.#listed = true;
  }

  /** One watch, from its start to its end. Resolves when the server ends it. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { client, resource, scope, clock, random } = this.#options;
    const timeoutSeconds = Math.round(withJitter(WATCH_SECONDS_MIN, random === undefined ? 0 : 1, random ?? noChance));
    using guard = timeoutSignal(clock, timeoutSeconds * 1000 + WATCH_GRACE_MS, 'the watch outlived its timeout');
    using either = anySignal(signal, guard.signal);
    const start: Partial<Scope> = this.#listed
      ? { resourceVersion: this.#resourceVersion }
      : { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' };
    const startedMs = clock.monotonicMs();
    const before = this.#resourceVersion;
    const events = client.watch(resource, { ...scope, ...start, allowWatchBookmarks: true, timeoutSeconds, signal: either.signal });
    await this.#consume(events, signal);
    if (signal.aborted) return;
    if (!this.#listed) {
      this.#streamsInitial = false; // It ended before the initial state was whole: this server does not know how.
      return;
    }
    const tooShort = clock.monotonicMs() - startedMs < WATCH_MS_MIN && before === this.#resourceVersion;
    if (tooShort) throw new Error(`watch of ${resource.resource} ended after less than ${WATCH_MS_MIN} ms without an event`);
  }

  async #consume(batches: AsyncIterable<readonly WatchEvent<T>[]>, signal: AbortSignal): Promise<void> {
    const { sink } = this.#options;
    let initial: Map<string, T> | undefined = this.#listed ? undefined : new Map();
    for await (const batch of batches) {
      if (signal.aborted) return;
      for (const event of batch) {
        if (initial !== undefined) {
          if (!collect(initial, event)) continue;
          await sink.replace([...initial.values()], signal);
          if (signal.aborted) return;
          initial = undefined;
          this.#listed = true;
        } else if (event.type !== 'BOOKMARK') {
          sink.apply(event);
        }
        this.#heard(event.object.metadata.resourceVersion);
      }
    }
  }

  #heard(resourceVersion: string | undefined): void {
    this.#resourceVersion = resourceVersion ?? '';
    this.#failures = 0;
  }

  /** Decides where to go on after `error`, and waits before that. */
  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random, onError } = this.#options;
    this.#failures += 1;
    if (isExpired(error)) {
      this.#listed = false;
      if (this.#failures === 1) return; // The revision is too old, the server is well: no reason to wait.
    } else {
      onError(error);
      if (!this.#listed && this.#streamsInitial && refuses(error)) this.#streamsInitial = false;
      if (this.#failures >= WATCH_FAILURES_MAX) this.#listed = false;
    }
    const delayMs = backoffDelayMs(this.#failures, BACKOFF);
    const sleeping = clock.sleep(random === undefined ? delayMs : withJitter(delayMs, 1, random), signal);
    await sleeping.catch(() => {}); // Aborted: the loop ends by its own condition.
  }
}

/** Takes one event of the initial state in. True for the bookmark that ends it. */
function collect<T extends KubeObject>(initial: Map<string, T>, { type, object }: WatchEvent<T>): boolean {
  if (type === 'BOOKMARK') return object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true';
  if (type === 'DELETED') initial.delete(keyOf(object));
  else initial.set(keyOf(object), object);
  return false;
}

/** True when the request itself was refused, as a server without streaming lists does. */
function refuses(error: unknown): boolean {
  return isStatusError(error) && [400, 405, 406, 415, 422].includes(error.code);
}

const noChance: Random = {
  float: () => 0,
  integer: () => 0,
  bytes: (length) => new Uint8Array(length),
  uuid: () => '00000000-0000-4000-8000-000000000000',
};
