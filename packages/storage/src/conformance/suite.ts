import { newVirtualClock, type VirtualClock } from '@orrery/base';
import { afterEach, beforeEach, describe } from 'vitest';
import type { Store } from '../store.ts';
import { describeCompaction } from './compaction.ts';
import type { OpenStore, StoreHarness } from './harness.ts';
import { describeLeases } from './leases.ts';
import { describeLifecycle } from './lifecycle.ts';
import { describeModel } from './model-property.ts';
import { describeRanges } from './ranges.ts';
import { describeRegressions } from './regressions.ts';
import { describeTransactions } from './transactions.ts';
import { describeWatches } from './watches.ts';

/** What every test of the suite is handed: a store that was empty at its start. */
export interface SuiteContext {
  readonly store: Store;
  readonly clock: VirtualClock;
  readonly harness: StoreHarness;
  /** The same data in a newly opened store; undefined where data does not outlive the store. */
  reopen(): Promise<Store> | undefined;
}

/**
 * What the contract of `Store` promises, as tests: the same for every engine. Each test has a store of its own, whose time is virtual.
 */
export function describeStoreConformance(name: string, harness: StoreHarness): void {
  describe(`store conformance: ${name}`, () => {
    let opened: OpenStore;
    let clock: VirtualClock;

    beforeEach(async () => {
      clock = newVirtualClock();
      opened = await harness.open(clock);
    });
    afterEach(() => opened.dispose());

    const context: SuiteContext = {
      get store() {
        return opened.store;
      },
      get clock() {
        return clock;
      },
      harness,
      reopen: () => opened.reopen?.(),
    };
    describeTransactions(context);
    describeRanges(context);
    describeWatches(context);
    describeCompaction(context);
    describeLeases(context);
    describeLifecycle(context);
    describeRegressions(context);
    describeModel(context);
  });
}
