import { describe, expect, test } from 'vitest';
import { configMaps, eventsView, named, pod, pods, startApi, textOf } from './test-api.ts';

const cm = (name: string, labels: object = {}): object => ({ metadata: { name, labels } });

describe('watch', () => {
  test('without a version: what there is, then what happens', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: cm('x') });
    const watch = api.watch(configMaps);
    expect(await watch.nextText()).toBe('ADDED a/x@2');
    await api.call('create', configMaps, { body: cm('y') });
    await api.call('update', configMaps, { name: 'y', body: named('y', { data: { k: 'v' } }) });
    await api.call('delete', configMaps, { name: 'x' });
    expect([await watch.nextText(), await watch.nextText(), await watch.nextText()]).toEqual([
      'ADDED a/y@3',
      'MODIFIED a/y@4',
      'DELETED a/x@5',
    ]);
    watch.stop();
    expect(await watch.nextText()).toBe('end');
  });

  test('from a version: the changes since', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: cm('x') });
    await api.call('create', configMaps, { body: cm('y') });
    await api.call('delete', configMaps, { name: 'x' });
    const watch = api.watch(configMaps, { resourceVersion: '2' });
    expect([await watch.nextText(), await watch.nextText()]).toEqual(['ADDED a/y@3', 'DELETED a/x@4']);
    watch.stop();
  });

  test('from before the cache was filled: the store’s history', async () => {
    const api = startApi();
    for (const name of ['x', 'y']) {
      const value = Buffer.from(JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'a' } }));
      await api.store.transact([], [{ type: 'put', key: `/registry/configmaps/a/${name}`, value }]);
    }
    await api.store.transact([], [{ type: 'delete', key: '/registry/configmaps/a/x' }]);
    const watch = api.watch(configMaps, { resourceVersion: '1' });
    expect([await watch.nextText(), await watch.nextText(), await watch.nextText()]).toEqual([
      'ADDED a/x@2',
      'ADDED a/y@3',
      'DELETED a/x@4',
    ]);
    await api.call('create', configMaps, { body: cm('z') });
    expect(await watch.nextText()).toBe('ADDED a/z@5');
    watch.stop();
  });

  test('from a compacted version: 410', async () => {
    const api = startApi();
    for (const name of ['x', 'y', 'z']) {
      await api.store.transact([], [{ type: 'put', key: `/registry/configmaps/a/${name}`, value: Buffer.from('{"metadata":{}}') }]);
    }
    await api.store.compact(3);
    const watch = api.watch(configMaps, { resourceVersion: '1' });
    await expect(watch.next()).rejects.toMatchObject({ code: 410, reason: 'Expired', message: 'too old resource version: 1 (3)' });
  });

  test('from a version that is yet to come: nothing before it', async () => {
    const api = startApi();
    const watch = api.watch(configMaps, { resourceVersion: '3' });
    const next = watch.nextText();
    for (const name of ['x', 'y', 'z']) await api.call('create', configMaps, { body: cm(name) });
    expect(await next).toBe('ADDED a/z@4');
    watch.stop();
  });

  test('entering a selector is ADDED, leaving it DELETED with the last state that matched', async () => {
    const api = startApi();
    const watch = api.watch(configMaps, { labelSelector: 'app=a' });
    const next = watch.next();
    await api.call('create', configMaps, { body: cm('x') });
    await api.call('update', configMaps, { name: 'x', body: cm('x', { app: 'a' }) });
    const entered = await next;
    expect(entered && textOf(entered)).toBe('ADDED a/x@3');
    await api.call('update', configMaps, { name: 'x', body: cm('x', { app: 'a', n: '1' }) });
    expect(await watch.nextText()).toBe('MODIFIED a/x@4');
    await api.call('update', configMaps, { name: 'x', body: cm('x', { app: 'b' }) });
    const left = await watch.next();
    expect(left && textOf(left)).toBe('DELETED a/x@5');
    expect(left?.item.object.metadata.labels).toEqual({ app: 'a', n: '1' });
    expect(JSON.parse(left?.item.json.toString() ?? '')).toEqual(left?.item.object);
    watch.stop();
  });

  test('a field index tells only the watchers that it concerns', async () => {
    const api = startApi();
    const n1 = api.watch(pods, { fieldSelector: 'spec.nodeName=n1' });
    const n2 = api.watch(pods, { fieldSelector: 'spec.nodeName=n2' });
    const nextN1 = n1.nextText();
    const nextN2 = n2.nextText();
    await api.call('create', pods, { body: pod('x') });
    await api.call('patch', pods, { name: 'x', patchType: 'merge', body: { spec: { nodeName: 'n1' } } });
    expect(await nextN1).toBe('ADDED a/x@3');
    await api.call('patch', pods, { name: 'x', patchType: 'merge', body: { spec: { nodeName: 'n2' } } });
    expect(await n1.nextText()).toBe('DELETED a/x@4');
    expect(await nextN2).toBe('ADDED a/x@4');
    n1.stop();
    n2.stop();
  });

  test('a namespace sees its own', async () => {
    const api = startApi();
    const watch = api.watch(configMaps, {}, 'b');
    const next = watch.nextText();
    await api.call('create', configMaps, { namespace: 'a', body: cm('x') });
    await api.call('create', configMaps, { namespace: 'b', body: cm('y') });
    expect(await next).toBe('ADDED b/y@3');
    watch.stop();
  });

  test('all watchers share one event and one frame', async () => {
    const api = startApi();
    const watches = [api.watch(configMaps), api.watch(configMaps, { labelSelector: 'app=a' }), api.watch(configMaps, {}, 'a')];
    const next = watches.map((watch) => watch.next());
    await api.call('create', configMaps, { body: cm('x', { app: 'a' }) });
    const [first, second, third] = await Promise.all(next);
    expect(second).toBe(first);
    expect(third).toBe(first);
    expect(first?.frame?.toString()).toBe(`{"type":"ADDED","object":${first?.item.json.toString()}}\n`);
    for (const watch of watches) watch.stop();
  });

  test('a view’s events are in its own form', async () => {
    const api = startApi();
    const watch = api.watch(eventsView);
    const next = watch.next();
    await api.call('create', eventsView, { body: named('x', { note: 'hello', regarding: {} }) });
    expect((await next)?.item.object).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'hello' });
    watch.stop();
  });
});

describe('bookmarks and initial events', () => {
  test('a bookmark comes every minute, to whom it was promised', async () => {
    const api = startApi();
    const watch = api.watch(configMaps, { allowWatchBookmarks: true, resourceVersion: '1' });
    const without = api.watch(configMaps, { resourceVersion: '1' });
    const next = watch.next();
    const silent = without.next();
    await api.clock.advance(1);
    await api.call('create', pods, { body: pod('elsewhere') });
    await api.clock.advance(60_000);
    const event = await next;
    expect(event?.type).toBe('BOOKMARK');
    expect(event?.item.object).toEqual({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '2' } });
    const again = watch.nextText();
    await api.clock.advance(60_000);
    expect(await again).toBe('BOOKMARK @2');
    without.stop();
    expect(await silent).toBeUndefined();
    watch.stop();
  });

  test('sendInitialEvents ends the initial part with a marked bookmark', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: cm('x') });
    const watch = api.watch(configMaps, { sendInitialEvents: true, allowWatchBookmarks: true, resourceVersionMatch: 'NotOlderThan' });
    expect(await watch.nextText()).toBe('ADDED a/x@2');
    expect((await watch.next())?.item.object).toEqual({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { resourceVersion: '2', annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    watch.stop();
  });

  test('sendInitialEvents with nothing there: the bookmark alone', async () => {
    const watch = startApi().watch(configMaps, {
      sendInitialEvents: true,
      allowWatchBookmarks: true,
      resourceVersionMatch: 'NotOlderThan',
    });
    expect((await watch.next())?.type).toBe('BOOKMARK');
    watch.stop();
  });

  test('sendInitialEvents: false starts with what comes', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: cm('x') });
    const watch = api.watch(configMaps, { sendInitialEvents: false, resourceVersionMatch: 'NotOlderThan' });
    const next = watch.nextText();
    await api.clock.advance(1);
    await api.call('create', configMaps, { body: cm('y') });
    expect(await next).toBe('ADDED a/y@3');
    watch.stop();
  });

  test.each([
    [{ sendInitialEvents: true }, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'],
    [{ resourceVersionMatch: 'NotOlderThan' as const }, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'],
    [{ sendInitialEvents: true, resourceVersionMatch: 'Exact' as const }, 'resourceVersionMatch: Unsupported value: "Exact"'],
    [{ resourceVersion: 'x' }, 'resourceVersion: Invalid value: "x"'],
  ])('%o is 422', async (options, message) => {
    const watch = startApi().watch(configMaps, options);
    await expect(watch.next()).rejects.toMatchObject({ code: 422, message: expect.stringContaining(message) as string });
  });
});

describe('the end of a watch', () => {
  test('timeoutSeconds ends it without an error', async () => {
    const api = startApi();
    const watch = api.watch(configMaps, { timeoutSeconds: 5 });
    const next = watch.next();
    await api.clock.advance(5000);
    expect(await next).toBeUndefined();
  });

  test('without a limit of its own it ends within an hour', async () => {
    const api = startApi();
    const next = api.watch(configMaps).next();
    await api.clock.advance(1_800_000);
    const pending = await Promise.race([next, Promise.resolve('pending')]);
    expect(pending).toBe('pending');
    await api.clock.advance(1_800_000);
    expect(await next).toBeUndefined();
  });

  test('closing the handler ends all watches', async () => {
    const api = startApi();
    const watch = api.watch(configMaps);
    const next = watch.next();
    await api.clock.advance(1);
    api.handler.close();
    expect(await next).toBeUndefined();
  });

  test('no timer is left behind', async () => {
    const api = startApi();
    const before = api.clock.pendingTimers;
    const watch = api.watch(configMaps, { timeoutSeconds: 500 });
    const next = watch.next();
    await api.clock.advance(1);
    watch.stop();
    await next;
    expect(api.clock.pendingTimers).toBe(before);
  });
});
