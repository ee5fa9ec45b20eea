import { assert, type Clock, type Deferred, deferred, type Timer } from '@orrery/base';
import { DelayHeap } from './delay-heap.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** Told of what a queue does. Durations in milliseconds. */
export interface WorkQueueMetrics {
  /** Items that wait for a worker, whenever that number changes. */
  depth?(items: number): void;
  added?(): void;
  /** How long an item waited for its worker. */
  waited?(durationMs: number): void;
  /** How long a worker had it. */
  worked?(durationMs: number): void;
  retried?(): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly rateLimiter: RateLimiter;
  readonly metrics?: WorkQueueMetrics | undefined;
}

/**
 * Keys that need work. First in, first out; a key waits at most once, however often it is added.
 *
 * A key is never in the hands of two workers: added while one has it, it waits until `done` and is then queued again. So the work that
 * follows an `add` always starts after that `add`. Every `get` needs its `done`.
 */
export interface WorkQueue {
  /** Keys that wait for a worker: neither delayed nor in work. */
  readonly size: number;
  readonly shuttingDown: boolean;
  /** Ignored after shutdown. */
  add(item: string): void;
  /** Adds after a delay; of several for the same key the earliest counts. At once when `delayMs` is 0 or less. */
  addAfter(item: string, delayMs: number): void;
  /** Adds after the delay that the rate limiter names. */
  addRateLimited(item: string): void;
  /** Ends the backoff of `item`. Does not take it out of the queue. */
  forget(item: string): void;
  /** Failures of `item` in a row. */
  failures(item: string): number;
  /** The next key, when there is one. Undefined: the queue was shut down and nothing waits any more. */
  get(): Promise<string | undefined>;
  /** The worker is through with `item`. */
  done(item: string): void;
  /** Takes no more and drops what is delayed. Workers still get what waits, then undefined. Idempotent. */
  shutDown(): void;
  /** Shuts down and resolves when nothing waits and no worker has a key. */
  drain(): Promise<void>;
}

export function newWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyQueue(options);
}

class KeyQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #limiter: RateLimiter;
  readonly #metrics: WorkQueueMetrics;
  /** Waiting, with the time of arrival. Invariant: disjoint from #working. */
  readonly #waiting = new Map<string, number>();
  /** The order of #waiting: the items from #head on. A Map's first key would be found past all deleted ones. */
  #order: string[] = [];
  #head = 0;
  /** In the hands of a worker, with the time it was taken. */
  readonly #working = new Map<string, number>();
  /** Added while in work. Invariant: a subset of #working. */
  readonly #again = new Set<string>();
  /**
   * Workers that wait. A new item only wakes one; the worker takes it when it runs. Until then the item still waits, so that further adds
   * of the same turn (a batch of events about one owner) are one piece of work, not two.
   */
  readonly #idle: Deferred<void>[] = [];
  readonly #delayed = new DelayHeap();
  #timer: { readonly timer: Timer; readonly dueMs: number } | undefined; // Invariant: due when the first of #delayed is, or before.
  #drained: Deferred<void> | undefined;
  #shuttingDown = false;

  constructor({ clock, rateLimiter, metrics = {} }: WorkQueueOptions) {
    this.#clock = clock;
    this.#limiter = rateLimiter;
    this.#metrics = metrics;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get shuttingDown(): boolean {
    return this.#shuttingDown;
  }

  add(item: string): void {
    if (this.#shuttingDown || this.#waiting.has(item) || this.#again.has(item)) return;
    this.#metrics.added?.();
    if (this.#working.has(item)) this.#again.add(item);
    else this.#enqueue(item);
  }

  addAfter(item: string, delayMs: number): void {
    if (this.#shuttingDown) return;
    if (delayMs <= 0) {
      this.add(item);
      return;
    }
    this.#delayed.add(item, this.#clock.monotonicMs() + delayMs);
    this.#arm();
  }

  addRateLimited(item: string): void {
    this.#metrics.retried?.();
    this.addAfter(item, this.#limiter.delayMs(item));
  }

  forget(item: string): void {
    this.#limiter.forget(item);
  }

  failures(item: string): number {
    return this.#limiter.failures(item);
  }

  async get(): Promise<string | undefined> {
    for (;;) {
      const first = this.#takeFirst();
      if (first !== undefined || this.#shuttingDown) return first;
      const idle = deferred<void>();
      this.#idle.push(idle);
      await idle.promise;
    }
  }

  done(item: string): void {
    const sinceMs = this.#working.get(item);
    assert(sinceMs !== undefined, () => `done("${item}") without get()`);
    this.#working.delete(item);
    this.#metrics.worked?.(this.#clock.monotonicMs() - sinceMs);
    if (this.#again.delete(item)) this.#enqueue(item);
    this.#checkDrained();
  }

  shutDown(): void {
    if (this.#shuttingDown) return;
    this.#shuttingDown = true;
    this.#delayed.clear();
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    for (const worker of this.#idle.splice(0)) worker.resolve();
    this.#checkDrained();
  }

  drain(): Promise<void> {
    this.#drained ??= deferred();
    this.shutDown();
    this.#checkDrained();
    return this.#drained.promise;
  }

  #enqueue(item: string): void {
    this.#waiting.set(item, this.#clock.monotonicMs());
    this.#order.push(item);
    this.#metrics.depth?.(this.#waiting.size);
    this.#idle.shift()?.resolve();
  }

  #takeFirst(): string | undefined {
    const item = this.#order[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
    const sinceMs = this.#waiting.get(item) ?? this.#clock.monotonicMs();
    this.#waiting.delete(item);
    this.#hand(item, sinceMs);
    this.#metrics.depth?.(this.#waiting.size);
    return item;
  }

  #hand(item: string, sinceMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#working.set(item, nowMs);
    this.#metrics.waited?.(nowMs - sinceMs);
  }

  #checkDrained(): void {
    if (this.#waiting.size === 0 && this.#working.size === 0) this.#drained?.resolve();
  }

  /** Makes the one timer due when the first delayed item is. */
  #arm(): void {
    const dueMs = this.#delayed.nextDueMs;
    if (dueMs === undefined) return;
    if (this.#timer !== undefined) {
      if (this.#timer.dueMs <= dueMs) return;
      this.#timer.timer.cancel();
    }
    const timer = this.#clock.after(Math.max(0, dueMs - this.#clock.monotonicMs()), () => this.#release());
    this.#timer = { timer, dueMs };
  }

  #release(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (let item = this.#delayed.takeDue(nowMs); item !== undefined; item = this.#delayed.takeDue(nowMs)) this.add(item);
    this.#arm();
  }
}
