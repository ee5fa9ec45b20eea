import { isConflict, type KubeObject, keyOf, type NamespacedName, type Resource, splitKey } from '@orrery/apimachinery';
import { aborted, assert, type Clock, newTimeSlice, sharedSignal, type TimeSlice } from '@orrery/base';
import {
  type Informer,
  type InformerFactory,
  type InformerOptions,
  newControllerRateLimiter,
  newWorkQueue,
  type RateLimiter,
  type WorkQueue,
} from '@orrery/client';
import { type Logger, silentLogger } from '@orrery/component';
import type { ControllerMetrics } from './metrics.ts';
import { isTerminalError, type Reconciler } from './reconciler.ts';
import { ownedBy, type Predicate, type Source, type Watch, watchOf } from './sources.ts';

/** Something with one lifetime. */
export interface Runnable {
  /** Runs until `signal` aborts, then lets go of everything and resolves. Rejects when it cannot go on. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ControllerOptions<T extends KubeObject> {
  /** Public: used in logs and metrics. Never rename. */
  readonly name: string;
  readonly clock: Clock;
  readonly informerFactory: InformerFactory;
  /** The resource whose objects are reconciled. */
  readonly primary: Resource<T>;
  /** Narrows the primary's informer. */
  readonly scope?: InformerOptions<T>;
  /** Which changes of primary objects matter. @default all */
  readonly predicate?: Predicate<T>;
  /** Resources whose objects primary objects manage, found by their controller reference. */
  readonly owns?: readonly Resource[];
  /** Any other resource that wakes primary objects; made by `watchOf` and `ownedBy`. */
  readonly watches?: readonly Watch[];
  /** Informers that the reconciler only reads: they are run, and synced before the first reconcile. */
  readonly reads?: readonly Pick<Informer<KubeObject>, 'run' | 'waitForSync'>[];
  /** Keys in work at a time. @default 1 */
  readonly workers?: number;
  readonly reconciler: Reconciler;
  /** @default 5 ms doubling to 1000 s per key; 10 retries a second for all keys */
  readonly rateLimiter?: RateLimiter;
  /** @default silent */
  readonly log?: Logger;
  readonly metrics?: ControllerMetrics;
}

export interface Controller extends Runnable {
  readonly name: string;
  /** Wakes `key`. For what no informer sees, as timers and other servers. Ignored while the controller does not run. */
  enqueue(key: NamespacedName): void;
  /** Resolves when every informer has synced and the workers run; rejects with the signal's reason. */
  waitForSync(signal: AbortSignal): Promise<void>;
}

/**
 * Connects informers, a work queue and a reconciler. `run` waits for its informers, then reconciles every object once, and each again
 * whenever it, or what belongs to it, changes. May be run again after it has stopped.
 */
export function newController<T extends KubeObject>(options: ControllerOptions<T>): Controller {
  const { informerFactory, primary, owns = [], watches = [], reads = [], workers = 1 } = options;
  assert(workers >= 1, 'a controller needs at least one worker');
  const own = watchOf<T>({
    resource: primary,
    predicate: options.predicate,
    scope: options.scope,
    mapToKeys: ({ metadata }) => [{ name: metadata.name, namespace: metadata.namespace }],
  });
  const all = [own, ...owns.map((resource) => ownedBy(primary, resource)), ...watches];
  return new QueueController(
    options,
    all.map((watch) => watch.connect(informerFactory)),
    reads,
  );
}

class QueueController<T extends KubeObject> implements Controller {
  readonly name: string;
  readonly #options: ControllerOptions<T>;
  readonly #sources: readonly Source[];
  readonly #informers: readonly Source['informer'][];
  readonly #log: Logger;
  #queue: WorkQueue | undefined; // Invariant: defined exactly while run() is in progress.

  constructor(options: ControllerOptions<T>, sources: readonly Source[], reads: readonly Source['informer'][]) {
    this.name = options.name;
    this.#options = options;
    this.#sources = sources;
    this.#informers = [...new Set([...sources.map(({ informer }) => informer), ...reads])];
    this.#log = (options.log ?? silentLogger).with({ controller: options.name });
  }

  enqueue({ name, namespace = '' }: NamespacedName): void {
    this.#queue?.add(keyOf({ metadata: { name, namespace } }));
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.waitForSync(signal)));
  }

  async run(signal: AbortSignal): Promise<void> {
    assert(this.#queue === undefined, () => `controller ${this.name} runs already`);
    if (signal.aborted) return;
    sharedSignal(signal);
    const { clock, rateLimiter = newControllerRateLimiter(clock), metrics, workers = 1 } = this.#options;
    const queue = newWorkQueue({ clock, rateLimiter, metrics: metrics?.queue(this.name) });
    this.#queue = queue;
    const connections = this.#sources.map((source) => source.start((key) => queue.add(key)));
    const informers = this.#informers.map((informer) => informer.run(signal));
    const slice = newTimeSlice(clock);
    const stopped = aborted(signal).then(() => queue.shutDown());
    try {
      if (await this.#synced(signal)) await Promise.all(Array.from({ length: workers }, () => this.#work(queue, slice, signal)));
    } finally {
      for (const connection of connections) connection[Symbol.dispose]();
      await Promise.all([stopped, ...informers]);
      this.#queue = undefined;
    }
  }

  /** False: aborted before the informers synced. */
  async #synced(signal: AbortSignal): Promise<boolean> {
    try {
      await this.waitForSync(signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  /** One worker: until the queue is shut down. After the stop what waits is dropped, the next start finds it again. */
  async #work(queue: WorkQueue, slice: TimeSlice, signal: AbortSignal): Promise<void> {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      // Reconciles that only read caches never wait for anything: without this a long queue would stop everybody else.
      if (slice.over) await slice.yield();
      if (!signal.aborted) await this.#reconcile(queue, key, signal);
      queue.done(key);
    }
  }

  async #reconcile(queue: WorkQueue, key: string, signal: AbortSignal): Promise<void> {
    const { clock, reconciler, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      const { requeueAfterMs } = await reconciler.reconcile(splitKey(key), signal);
      queue.forget(key);
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
      metrics?.reconciled(this.name, requeueAfterMs === undefined ? 'success' : 'requeue_after', clock.monotonicMs() - startMs);
    } catch (error) {
      if (signal.aborted) return;
      metrics?.reconciled(this.name, 'error', clock.monotonicMs() - startMs);
      this.#failed(queue, key, error);
    }
  }

  #failed(queue: WorkQueue, key: string, error: unknown): void {
    if (isTerminalError(error)) {
      this.#log.error('reconcile failed for good; waiting for a change', { key, error });
      queue.forget(key);
      return;
    }
    queue.addRateLimited(key);
    // A conflict is the caches' lag, not a fault.
    if (isConflict(error)) this.#log.debug('reconcile met a conflict; retrying', { key, error });
    else this.#log.warn('reconcile failed; retrying', { key, error, failures: queue.failures(key) });
  }
}
