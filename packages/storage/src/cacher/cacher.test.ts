import { newVirtualClock, realClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { newMemoryStore } from '../engines/memory/memory-store.ts';
import { watchCache } from './cache-watch.ts';
import { CachedEntry } from './cached-entry.ts';
import { LiveWatcher } from './live-watcher.ts';
import { spliceResourceVersion } from './served-bytes.ts';
import { ServedEvent } from './served-event.ts';
import { labelOf, newTestCache, prefix, thing } from './test-cache.ts';

describe('served bytes', () => {
  test.each([
    [
      'our own order',
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"},"a":1}',
      '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7","name":"x"},"a":1}',
    ],
    [
      'apiVersion first',
      '{"apiVersion":"apps/v1","kind":"D","metadata":{"name":"x"}}',
      '{"apiVersion":"apps/v1","kind":"D","metadata":{"resourceVersion":"7","name":"x"}}',
    ],
    [
      'empty metadata',
      '{"kind":"Pod","apiVersion":"v1","metadata":{}}',
      '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7"}}',
    ],
    [
      'any other order',
      '{"spec":{"metadata":{}},"metadata":{"name":"é"},"kind":"Pod","apiVersion":"v1"}',
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"é","resourceVersion":"7"},"spec":{"metadata":{}}}',
    ],
    [
      'a line end after it',
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}}\n',
      '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7","name":"x"}}\n',
    ],
  ])('%s', (_name, stored, served) => {
    expect(spliceResourceVersion(Buffer.from(stored), 7).toString()).toBe(served);
  });

  test('large and small buffers alike', () => {
    const stored = Buffer.from(JSON.stringify({ kind: 'K', apiVersion: 'v1', metadata: { name: 'x'.repeat(5000) } }));
    expect(JSON.parse(spliceResourceVersion(stored, 12).toString())).toMatchObject({ metadata: { resourceVersion: '12' } });
  });

  test('the last state under another version', () => {
    const entry = new CachedEntry('k', 3, thing('x', 'red'), { freeze: true }).at(9);
    expect(entry.object.metadata.resourceVersion).toBe('9');
    expect(JSON.parse(entry.json.toString())).toEqual(entry.object);
  });
});

describe('the cache', () => {
  const start = () => newTestCache(newMemoryStore({ clock: realClock }), realClock);

  test('takes the writer’s own object: nothing is parsed', async () => {
    const tested = await start();
    const object = JSON.parse(thing('x', 'red').toString()) as CachedEntry['object'];
    const bytes = Buffer.from(JSON.stringify(object));
    const key = `${prefix}a/x`;
    const write = tested.cache.announce(key, bytes, object);
    const { revision } = await tested.feed.store.transact([], [{ type: 'put', key, value: bytes }]);
    await tested.feed.reached(revision);
    expect(tested.cache.get(key)).toBe(write.settle(revision));
    expect(tested.cache.get(key)?.object.metadata).toMatchObject({ name: 'x', resourceVersion: String(revision) });
    expect(object.metadata.resourceVersion).toBeUndefined();
    await tested.close();
  });

  test('an announced write that lost its race is not taken for the winner’s', async () => {
    const tested = await start();
    const key = `${prefix}a/x`;
    const losing = tested.cache.announce(key, thing('x', 'lost'), JSON.parse(thing('x', 'lost').toString()) as CachedEntry['object']);
    await tested.feed.reached(await tested.put('x', 'won'));
    const entry = tested.cache.get(key);
    expect(entry && labelOf(entry)).toBe('won');
    tested.cache.forget(losing);
    await tested.close();
  });

  test('an index follows changes and removals', async () => {
    const tested = await start();
    const names = () => tested.cache.byIndex({ index: 'label', value: 'red' })?.map(({ object }) => object.metadata.name);
    await tested.put('x', 'red');
    await tested.feed.reached(await tested.put('y', 'red'));
    expect(names()).toEqual(['x', 'y']);
    await tested.put('x', 'blue');
    await tested.feed.reached(await tested.remove('y'));
    expect(names()).toEqual([]);
    expect(tested.cache.byIndex({ index: 'colour', value: 'red' })).toBeUndefined();
    expect(tested.cache.size).toBe(1);
    await tested.close();
  });

  test('two fillings asked for at once are one', async () => {
    const tested = await start();
    tested.cache.reset();
    const first = tested.cache.ready();
    expect(tested.cache.ready()).toBe(first);
    await first;
    await tested.close();
  });

  test('writes during the filling are neither lost nor doubled', async () => {
    const tested = await start();
    await tested.put('x', 'red');
    tested.cache.reset();
    const ready = tested.cache.ready();
    await Promise.all([tested.put('x', 'blue'), tested.put('y', 'red'), ready]);
    await tested.feed.reached(tested.feed.store.revision);
    expect(tested.cache.entries().map(labelOf)).toEqual(['blue', 'red']);
    await tested.close();
  });

  test('a compaction that overtakes the feed ends watchers and fills the cache anew', async () => {
    const clock = newVirtualClock();
    const store = newMemoryStore({ clock });
    let compacted = false;
    const failing = Object.create(store, {
      watch: {
        value(options: Parameters<typeof store.watch>[0], signal: AbortSignal) {
          if (compacted) return store.watch(options, signal);
          compacted = true;
          return (async function* () {
            await store.transact([], [{ type: 'put', key: `${prefix}a/x`, value: thing('x', 'red') }]);
            await store.compact(store.revision);
            yield* store.watch({ ...options, fromRevision: 1 }, signal);
          })();
        },
      },
    }) as typeof store;
    const tested = await newTestCache(failing, clock);
    const batches = watchCache(tested.cache, { from: 'now' }, new AbortController().signal);
    const next = batches.next();
    await clock.advance(1000);
    expect(await next).toEqual({ value: undefined, done: true });
    await tested.cache.ready();
    expect(tested.cache.entries().map(labelOf)).toEqual(['red']);
    await tested.close();
  });
});

describe('a watcher', () => {
  const event = new ServedEvent('ADDED', new CachedEntry('k', 1, thing('x', 'red'), { freeze: false }));

  test('gets everything that came in at once', async () => {
    const watcher = new LiveWatcher({ matches: undefined, bookmark: undefined, eventsMax: 3 });
    watcher.push(event);
    watcher.push(event);
    expect(await watcher.take()).toEqual([event, event]);
  });

  test('that is too slow is ended after what it has', async () => {
    const watcher = new LiveWatcher({ matches: undefined, bookmark: undefined, eventsMax: 2 });
    for (let i = 0; i < 3; i++) watcher.push(event);
    expect(watcher.end).toBe('slow');
    expect(await watcher.take()).toHaveLength(2);
    expect(await watcher.take()).toBeUndefined();
  });

  test('that stops in the middle of its initial events leaves nothing behind', async () => {
    const tested = await newTestCache(newMemoryStore({ clock: realClock }), realClock);
    for (const name of ['x', 'y', 'z']) await tested.feed.reached(await tested.put(name, 'red'));
    for await (const batch of watchCache(tested.cache, { from: 'state', batchMax: 1 }, new AbortController().signal)) {
      expect(batch).toHaveLength(1);
      break;
    }
    expect(tested.cache.watchers).toBe(0);
    await tested.close();
  });

  test('whose history is cut short by its end gets nothing after the gap', async () => {
    const tested = await newTestCache(newMemoryStore({ clock: realClock }), realClock, { ringEvents: 1 });
    for (const name of ['x', 'y', 'z']) await tested.feed.reached(await tested.put(name, 'red'));
    const abort = new AbortController();
    const batches = watchCache(tested.cache, { from: { after: 1 }, batchMax: 1 }, abort.signal);
    const first = batches.next();
    await tested.feed.reached(await tested.put('live', 'red'));
    abort.abort();
    const seen = [...((await first).value ?? [])].map(({ item }) => item.revision);
    for (let next = await batches.next(); next.done !== true; next = await batches.next()) {
      seen.push(...next.value.map(({ item }) => item.revision));
    }
    expect(seen).toEqual(seen.map((_revision, index) => index + 2));
    await tested.close();
  });

  test('1,000 watchers of one value each: a change is offered to one', async () => {
    const tested = await newTestCache(newMemoryStore({ clock: realClock }), realClock);
    const aborts: AbortController[] = [];
    let judged = 0;
    const seen: string[] = [];
    for (let i = 0; i < 1000; i++) {
      const matches = (entry: CachedEntry): boolean => {
        judged++;
        return labelOf(entry) === `l${i}`;
      };
      const options = { from: 'now', matches, trigger: { index: 'label', value: `l${i}` } } as const;
      const abort = new AbortController();
      aborts.push(abort);
      void (async () => {
        for await (const batch of watchCache(tested.cache, options, abort.signal)) seen.push(...batch.map(({ type }) => `${type} ${i}`));
      })();
    }
    await tested.feed.reached(await tested.put('x', 'l7'));
    await realClock.sleep(1);
    expect(seen).toEqual(['ADDED 7']);
    expect(judged).toBe(1);
    for (const abort of aborts) abort.abort();
    await tested.close();
  });
});
