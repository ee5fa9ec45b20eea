import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newVirtualClock, realClock } from '@orrery/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openLmdbStore } from '../engines/lmdb/lmdb-store.ts';
import { newMemoryStore } from '../engines/memory/memory-store.ts';
import type { Store } from '../store.ts';
import { watchCache } from './cache-watch.ts';
import { labelOf, newTestCache, type TestCache } from './test-cache.ts';

const labels = ['red', 'green', 'blue'];
const names = ['x', 'y', 'z'];

type Step =
  | { readonly type: 'put'; readonly name: string; readonly label: string }
  | { readonly type: 'remove'; readonly name: string }
  /** `back`: how many revisions before the newest; -1: the present state. */
  | { readonly type: 'watch'; readonly back: number; readonly select: string | undefined; readonly indexed: boolean }
  | { readonly type: 'settle' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('put' as const), name: fc.constantFrom(...names), label: fc.constantFrom(...labels) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove' as const), name: fc.constantFrom(...names) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('watch' as const),
      back: fc.integer({ min: -1, max: 12 }),
      select: fc.constantFrom(undefined, ...labels),
      indexed: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'settle' as const }) },
);

interface Change {
  readonly revision: number;
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What a watcher must see of the changes: the definition, written without regard to cost. */
function expectedEvents(log: readonly Change[], from: number | 'state', startedAt: number, select: string | undefined): string[] {
  const wanted = (label: string | undefined): boolean => label !== undefined && (select === undefined || label === select);
  const events: string[] = [];
  const after = from === 'state' ? startedAt : from;
  if (from === 'state') events.push(...stateAt(log, startedAt, wanted));
  for (const { revision, name, before, after: next } of log) {
    if (revision <= after) continue;
    if (wanted(next)) events.push(`${wanted(before) ? 'MODIFIED' : 'ADDED'} ${name} ${next}@${revision}`);
    else if (wanted(before)) events.push(`DELETED ${name} ${before}@${revision}`);
  }
  return events;
}

function stateAt(log: readonly Change[], at: number, wanted: (label: string | undefined) => boolean): string[] {
  const newest = new Map<string, Change>();
  for (const change of log) if (change.revision <= at) newest.set(change.name, change);
  const there = [...newest.values()].filter(({ after }) => wanted(after)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return there.map(({ name, after, revision }) => `ADDED ${name} ${after}@${revision}`);
}

async function run(store: Store, steps: readonly Step[]): Promise<void> {
  const tested = await newTestCache(store, realClock, { ringEvents: 4 }); // So small that many watches start in the store's history.
  const log: Change[] = [];
  const state = new Map<string, string>();
  const watches: { readonly seen: string[]; readonly expected: () => string[]; readonly stop: () => Promise<void> }[] = [];
  try {
    for (const next of steps) await take(tested, next, log, state, watches);
    for (const { seen, expected } of watches) await reaches(seen, expected());
  } finally {
    for (const { stop } of watches) await stop();
    await tested.close();
  }
}

/** Gives the watcher its turns, then compares: order, types, states and versions. */
async function reaches(seen: readonly string[], expected: readonly string[]): Promise<void> {
  for (let turn = 0; turn < 200 && seen.length < expected.length; turn++) await realClock.sleep(1);
  expect(seen).toEqual(expected);
}

async function take(
  tested: TestCache,
  next: Step,
  log: Change[],
  state: Map<string, string>,
  watches: { readonly seen: string[]; readonly expected: () => string[]; readonly stop: () => Promise<void> }[],
): Promise<void> {
  const { cache, feed } = tested;
  switch (next.type) {
    case 'put': {
      const revision = await tested.put(next.name, next.label);
      log.push({ revision, name: next.name, before: state.get(next.name), after: next.label });
      state.set(next.name, next.label);
      return;
    }
    case 'remove': {
      if (!state.has(next.name)) return;
      const revision = await tested.remove(next.name);
      log.push({ revision, name: next.name, before: state.get(next.name), after: undefined });
      state.delete(next.name);
      return;
    }
    case 'settle':
      await feed.reached(feed.store.revision);
      return;
    case 'watch': {
      if (next.back < 0) await feed.reached(feed.store.revision);
      const from = next.back < 0 ? ('state' as const) : Math.max(1, feed.store.revision - next.back);
      const { select } = next;
      const abort = new AbortController();
      const startedAt = feed.revision;
      const seen: string[] = [];
      const trigger = select !== undefined && next.indexed ? { index: 'label', value: select } : undefined;
      const matches = select === undefined ? undefined : (entry: Parameters<typeof labelOf>[0]) => labelOf(entry) === select;
      const options = { from: from === 'state' ? from : { after: from }, matches, trigger, batchMax: 2 };
      const done = (async () => {
        for await (const batch of watchCache(cache, options, abort.signal)) {
          for (const { type, item } of batch) {
            const { name, labels: found, resourceVersion } = item.object.metadata;
            expect(JSON.parse(item.json.toString())).toEqual(item.object);
            seen.push(`${type} ${name} ${found?.['label']}@${resourceVersion}`);
          }
        }
      })();
      watches.push({
        seen,
        expected: () => expectedEvents(log, from, startedAt, select),
        stop: async () => {
          abort.abort();
          await done;
        },
      });
      return;
    }
  }
}

describe('every watcher sees the same changes in the same order, whenever it starts and whatever it selects', () => {
  test('over the memory store', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) =>
        run(newMemoryStore({ clock: newVirtualClock() }), steps),
      ),
      { numRuns: 60 },
    );
  });

  test('over LMDB', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'orrery-watch-'));
    let runs = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) =>
          run(await openLmdbStore({ directory: join(directory, String(runs++)), clock: realClock }), steps),
        ),
        { numRuns: 10 },
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
