import { newVirtualClock, realClock, type VirtualClock } from '@orrery/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Compare, Store, WriteOp } from '../store.ts';
import { contents, del, eventsUntil, type OpenStore, type PlainEvent, put, type StoreHarness } from './harness.ts';
import { type Model, newModel } from './model.ts';
import { resumeWatch } from './resume-watch.ts';
import type { SuiteContext } from './suite.ts';

const keys = ['a', 'a/b', 'b', 'c', 'é', '\u{1f600}'];
const ttlSeconds = 10;

/** `compare` -1: none; otherwise the key's revision at the moment minus this, so that 0 holds and others mostly do not. */
type Step =
  | { readonly type: 'transact'; readonly ops: readonly PlannedOp[]; readonly compare: number }
  | { readonly type: 'burst'; readonly keys: readonly string[] }
  | { readonly type: 'compact'; readonly share: number }
  | { readonly type: 'grant' }
  | { readonly type: 'advance'; readonly seconds: number }
  | { readonly type: 'reopen' };

interface PlannedOp {
  readonly key: string;
  readonly value: string | undefined;
  readonly withLease: boolean;
}

const key = fc.constantFrom(...keys);
const plannedOp = fc.record({ key, value: fc.option(fc.string({ maxLength: 4 }), { nil: undefined, freq: 3 }), withLease: fc.boolean() });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('transact' as const),
      ops: fc.uniqueArray(plannedOp, { minLength: 1, maxLength: 3, selector: (op) => op.key }),
      compare: fc.integer({ min: -1, max: 1 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('burst' as const), keys: fc.array(key, { minLength: 2, maxLength: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('compact' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.constant({ type: 'grant' } as const) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('advance' as const), seconds: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.constant({ type: 'reopen' } as const) },
);

/** One run of a plan against a store and the model. */
class Run {
  readonly model: Model = newModel();
  readonly #opened: OpenStore;
  readonly #clock: VirtualClock;
  #store: Store;
  /** Lease to the time, on the clock, at which it expires; in the order in which the timers were set. */
  #leases = new Map<number, number>();

  constructor(opened: OpenStore, clock: VirtualClock) {
    this.#opened = opened;
    this.#clock = clock;
    this.#store = opened.store;
  }

  get store(): Store {
    return this.#store;
  }

  async step(planned: Step): Promise<void> {
    switch (planned.type) {
      case 'transact':
        return await this.#transact(planned.ops, planned.compare);
      case 'burst':
        return await this.#burst(planned.keys);
      case 'compact':
        return await this.#compact(planned.share);
      case 'grant':
        this.#leases.set(await this.#store.grantLease(ttlSeconds), this.#clock.monotonicMs() + ttlSeconds * 1000);
        return;
      case 'advance':
        return await this.#advance(planned.seconds * 1000);
      case 'reopen':
        return await this.#reopen();
    }
  }

  async #transact(planned: readonly PlannedOp[], compare: number): Promise<void> {
    const lease = [...this.#leases.keys()].at(-1);
    const ops: WriteOp[] = planned.map((op) =>
      op.value === undefined ? del(op.key) : put(op.key, op.value, op.withLease ? lease : undefined),
    );
    const first = planned[0]?.key ?? '';
    const modRevision = this.model.at(this.model.revision).find((entry) => entry.key === first)?.modRevision ?? 0;
    const compares: Compare[] = compare < 0 ? [] : [{ key: first, modRevision: Math.max(0, modRevision - compare) }];
    const { succeeded, revision } = await this.#store.transact(compares, ops);
    expect({ succeeded, revision }).toEqual(this.model.transact(compares, ops));
  }

  /** Many in flight. */
  async #burst(burst: readonly string[]): Promise<void> {
    const transactions = burst.map((each, index) => [put(each, `burst ${index}`)]);
    const results = await Promise.all(transactions.map((ops) => this.#store.transact([], ops)));
    for (const [index, ops] of transactions.entries()) expect(results[index]).toEqual(this.model.transact([], ops));
  }

  async #compact(share: number): Promise<void> {
    const { revision, compactedRevision } = this.model;
    const at = compactedRevision + Math.ceil(share * (revision - compactedRevision));
    if (at <= compactedRevision) return;
    await this.#store.compact(at);
    this.model.compactedRevision = at;
  }

  async #advance(ms: number): Promise<void> {
    const now = this.#clock.monotonicMs() + ms;
    const expired = [...this.#leases].filter(([, due]) => due <= now).sort(([, a], [, b]) => a - b);
    for (const [lease] of expired) {
      this.model.expire(lease);
      this.#leases.delete(lease);
    }
    await this.#clock.advance(ms);
    for (let round = 0; round < 5000 && this.#store.revision < this.model.revision; round += 1) await realClock.sleep(1);
  }

  async #reopen(): Promise<void> {
    const store = await this.#opened.reopen?.();
    if (store === undefined) return;
    this.#store = store;
    const due = this.#clock.monotonicMs() + ttlSeconds * 1000;
    this.#leases = new Map([...this.#leases.keys()].sort((a, b) => a - b).map((lease) => [lease, due]));
  }

  /** Every state and every event that can still be read is the model's. */
  async check(): Promise<void> {
    const { model, store } = this;
    expect([store.revision, store.compactedRevision]).toEqual([model.revision, model.compactedRevision]);
    const oldest = Math.max(1, model.compactedRevision);
    for (let revision = oldest; revision <= model.revision; revision += 1)
      expect(await contents(store, revision)).toEqual(model.at(revision));
    expect(await contents(store)).toEqual(model.at(model.revision));
    // Above the compaction alone: at the compaction itself, etcd may no longer know what was there before.
    for (let from = oldest + 1; from <= model.revision; from += 5) {
      expect(byKey(await eventsUntil(store, { fromRevision: from }, model.revision))).toEqual(
        byKey(model.events.filter((event) => event.revision >= from)),
      );
    }
  }
}

/** The order within a revision is not promised. */
const byKey = (events: readonly PlainEvent[]): PlainEvent[] =>
  [...events].sort((a, b) => a.revision - b.revision || (a.key < b.key ? -1 : 1));

async function runPlan(harness: StoreHarness, plan: readonly Step[]): Promise<void> {
  const clock = newVirtualClock();
  const opened = await harness.open(clock);
  try {
    const run = new Run(opened, clock);
    for (const planned of plan) await run.step(planned);
    await run.check();
  } finally {
    await opened.dispose();
  }
}

export function describeModel(context: SuiteContext): void {
  describe('model', () => {
    test('random transactions, compactions, leases and restarts leave what a simple model leaves', async () => {
      const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), (plan) => runPlan(context.harness, plan));
      await fc.assert(property, { numRuns: 40 });
    }, 60_000);

    test('watchers that come, lag, abort and resume at random see each event once', async () => {
      const property = fc.asyncProperty(
        fc.array(fc.array(key, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }),
        (bursts, pieces) => resumeWatch(context.harness, bursts, pieces),
      );
      await fc.assert(property, { numRuns: 25 });
    }, 60_000);
  });
}
