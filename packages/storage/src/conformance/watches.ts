import { realClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import type { WatchBatch } from '../store.ts';
import { brief, del, eventsUntil, everything, plainEvent, put, write } from './harness.ts';
import type { SuiteContext } from './suite.ts';

/** A watch over everything. */
const watcherOf =
  (context: SuiteContext) =>
  (fromRevision: number, signal: AbortSignal = new AbortController().signal) =>
    context.store.watch({ ...everything, fromRevision }, signal)[Symbol.asyncIterator]();

/** Events until `toRevision`, in batches that are checked to be in order. */
async function read(watch: AsyncIterator<WatchBatch>, toRevision: number): Promise<string[]> {
  const events: string[] = [];
  for (let revision = 0; revision < toRevision; ) {
    const { value: batch } = (await watch.next()) as { value: WatchBatch };
    expect(batch.revision).toBeGreaterThan(revision);
    for (const event of batch.events) expect(event.revision > revision && event.revision <= batch.revision).toBe(true);
    revision = batch.revision;
    events.push(...batch.events.map(plainEvent).map(brief));
  }
  return events;
}

export function describeWatches(context: SuiteContext): void {
  describeEvents(context);
  describeResumption(context);
  describeManyWatchers(context);
}

function describeEvents(context: SuiteContext): void {
  const watching = watcherOf(context);
  describe('watches', () => {
    test('tell puts and deletions with what was there before', async () => {
      await write(context.store, put('a', '1'));
      await write(context.store, put('a', '2'));
      await write(context.store, del('a'));
      const entry = (value: string, modRevision: number) => ({ key: 'a', value, createRevision: 2, modRevision, lease: 0 });
      expect(await eventsUntil(context.store, {}, 4)).toEqual([
        { type: 'put', key: 'a', revision: 2, entry: entry('1', 2), previous: undefined },
        { type: 'put', key: 'a', revision: 3, entry: entry('2', 3), previous: entry('1', 2) },
        { type: 'delete', key: 'a', revision: 4, entry: entry('2', 3), previous: undefined },
      ]);
    });

    test('tell the future as well as the past', async () => {
      await write(context.store, put('a', '1'));
      const watch = watching(2);
      expect(await read(watch, 2)).toEqual(['put a@2']);
      const next = read(watch, 4);
      await write(context.store, put('a', '2'));
      await write(context.store, put('b', '1'));
      expect(await next).toEqual(['put a@3', 'put b@4']);
    });

    test('tell their range alone, and progress beyond it', async () => {
      const events = eventsUntil(context.store, { start: 'b', end: 'd' }, 5);
      for (const key of ['a', 'b', 'c', 'd']) await write(context.store, put(key, '1'));
      expect((await events).map(brief)).toEqual(['put b@3', 'put c@4']);
    });

    test('never part a transaction', async () => {
      const watch = watching(2);
      for (let round = 0; round < 20; round += 1) await write(context.store, put('a', `${round}`), put('b', `${round}`));
      for (let revision = 1; revision < 21; ) {
        const { value: batch } = (await watch.next()) as { value: WatchBatch };
        expect(batch.events).toHaveLength(2 * (batch.revision - revision));
        revision = batch.revision;
      }
    });
  });
}

function describeResumption(context: SuiteContext): void {
  const watching = watcherOf(context);
  describe('watches that start somewhere', () => {
    test('resumed anywhere, lose nothing and repeat nothing', async () => {
      for (let round = 0; round < 60; round += 1)
        await write(context.store, round % 5 === 4 ? del(`k${round % 3}`) : put(`k${round % 3}`, `${round}`));
      const all = await eventsUntil(context.store, {}, context.store.revision);
      for (let from = 2; from <= context.store.revision; from += 7) {
        const resumed = await eventsUntil(context.store, { fromRevision: from }, context.store.revision);
        expect(resumed).toEqual(all.filter((event) => event.revision >= from));
      }
    });

    test('from a future revision: waits for it, and tells nothing below it', async () => {
      const watch = watching(4);
      const next = read(watch, 5);
      for (const value of ['1', '2', '3', '4']) await write(context.store, put('a', value));
      expect(await next).toEqual(['put a@4', 'put a@5']);
    });

    test('from below the compaction: Compacted', async () => {
      for (const value of ['1', '2', '3']) await write(context.store, put('a', value));
      await context.store.compact(3);
      await expect(watching(2).next()).rejects.toMatchObject({ code: 'Compacted' });
      expect(await read(watching(4), 4)).toEqual(['put a@4']);
    });

    test('a watcher that falls below the compaction is told so, one that keeps up is not', async () => {
      const [slow, quick] = [watching(2), watching(2)];
      await write(context.store, put('a', '1'));
      await read(slow, 2);
      for (const value of ['2', '3', '4']) await write(context.store, put('a', value));
      await read(quick, 5);
      await context.store.compact(5);
      await expect(read(slow, 5)).rejects.toMatchObject({ code: 'Compacted' });
      const next = read(quick, 6);
      await write(context.store, put('a', '5'));
      expect(await next).toEqual(['put a@6']);
    });

    test('a watcher far behind gets everything from the history, in pieces', async () => {
      const watch = watching(2);
      const count = 6000; // More than is kept in memory for watchers.
      await Promise.all(Array.from({ length: count }, (_, index) => write(context.store, put(`k${index % 10}`, `${index}`))));
      const events = await read(watch, count + 1);
      expect(events).toEqual(Array.from({ length: count }, (_, index) => `put k${index % 10}@${index + 2}`));
    });
  });
}

function describeManyWatchers(context: SuiteContext): void {
  const watching = watcherOf(context);
  describe('watches and others', () => {
    test('many see the same', async () => {
      const watchers = Array.from({ length: 50 }, () => eventsUntil(context.store, {}, 101));
      await Promise.all(Array.from({ length: 100 }, (_, index) => write(context.store, put(`k${index}`, '1'))));
      const [first, ...others] = await Promise.all(watchers);
      expect(first).toHaveLength(100);
      for (const other of others) expect(other).toEqual(first);
    });

    test('an event is told only when a read sees it', async () => {
      const watch = watching(2);
      const writing = Promise.all(Array.from({ length: 50 }, (_, index) => write(context.store, put('a', `${index}`))));
      for (let revision = 1; revision < 51; ) {
        const { value: batch } = (await watch.next()) as { value: WatchBatch };
        revision = batch.revision;
        expect((await context.store.get('a'))?.modRevision).toBeGreaterThanOrEqual(revision);
      }
      await writing;
    });

    test('end by abort: waiting, or before the start', async () => {
      const controller = new AbortController();
      const waiting = watching(2, controller.signal).next();
      await realClock.sleep(1);
      controller.abort();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(await watching(1, controller.signal).next()).toEqual({ done: true, value: undefined });
    });
  });
}
