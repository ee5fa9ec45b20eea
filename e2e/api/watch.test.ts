import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentType, startWire, type Wire } from './wire.ts';

let wire: Wire;
let base: string;
beforeAll(async () => {
  wire = await startWire({ controllers: false, scheduler: false });
});
afterAll(() => wire?.[Symbol.asyncDispose]());
const fresh = async (): Promise<string> => {
  base = `/api/v1/namespaces/${await wire.namespace()}/configmaps`;
  return base;
};
const make = (name: string, labels = {}, data = {}) => wire.expectCode(201, 'POST', base, { body: { metadata: { name, labels }, data } });
const change = (name: string, patch: object) => wire.expectCode(200, 'PATCH', `${base}/${name}`, { body: patch, type: contentType.merge });
const kinds = (events: readonly { readonly type: string; readonly object: { readonly data?: unknown } }[]) =>
  events.map(({ type }) => type);

describe('watch', () => {
  test('events by label: what leaves the selection is DELETED with its last matching labels gone, what returns is ADDED', async () => {
    await fresh();
    const watch = await wire.watch(`${base}?watch=1&labelSelector=on%3Dyes`);
    await make('a', { on: 'yes' });
    await change('a', { data: { n: '1' } });
    await change('a', { metadata: { labels: { on: 'no' } } });
    await change('a', { data: { n: '2' } });
    await change('a', { metadata: { labels: { on: 'yes' } } });
    await wire.expectCode(200, 'DELETE', `${base}/a`);
    const events = await watch.until(({ type, object }) => type === 'DELETED' && object.data?.n === '2');
    expect(kinds(events)).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED']);
    expect(events[2]?.object.data).toEqual({ n: '1' });
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    watch.close();
  });

  test('from a version: all that came after it, for every watcher in the same order', async () => {
    await fresh();
    const first = await make('a');
    for (let index = 0; index < 20; index++) await change('a', { data: { n: String(index) } });
    const last = await make('z');
    const list = await wire.expectCode(200, 'GET', base);
    expect(Number(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(last.metadata.resourceVersion));
    const whole = await wire.watch(`${base}?watch=true&resourceVersion=${first.metadata.resourceVersion}`);
    const events = await whole.until(({ object }) => object.metadata.name === 'z');
    expect(events).toHaveLength(21);
    for (const at of [0, 7, 19]) {
      const later = await wire.watch(`${base}?watch=true&resourceVersion=${events[at]?.object.metadata.resourceVersion}`);
      const rest = await later.until(({ object }) => object.metadata.name === 'z');
      expect(rest).toEqual(events.slice(at + 1));
      later.close();
    }
    whole.close();
  });

  test('an invalid version is refused, one that is compacted is Expired', async () => {
    await fresh();
    const refused = await wire.expectCode(422, 'GET', `${base}?watch=1&resourceVersion=x`);
    expect(refused).toMatchObject({ kind: 'Status', reason: 'Invalid' });
  });
});

describe('WatchList', () => {
  const streaming = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const atEnd = ({ type, object }: { type: string; object: { metadata: { annotations?: Record<string, string> } } }) =>
    type === 'BOOKMARK' && object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';

  test('the state as ADDED events, a bookmark at its end, then what follows', async () => {
    await fresh();
    const made = [await make('a', { on: 'yes' }), await make('b'), await make('c', { on: 'yes' })];
    const watch = await wire.watch(`${base}?${streaming}`);
    const initial = await watch.until(atEnd);
    expect(initial.slice(0, -1)).toEqual(made.map((object) => ({ type: 'ADDED', object })));
    const bookmark = initial.at(-1)?.object;
    expect(bookmark).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
    expect(Number(bookmark.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(made[2].metadata.resourceVersion));
    await make('d');
    expect((await watch.until(({ object }) => object.metadata.name === 'd')).at(-1)?.type).toBe('ADDED');
    watch.close();

    const selected = await wire.watch(`${base}?${streaming}&labelSelector=on%3Dyes&resourceVersion=0`);
    const names = (await selected.until(atEnd)).slice(0, -1).map(({ object }) => object.metadata.name);
    expect(names).toEqual(['a', 'c']);
    selected.close();
  });

  const refused = [
    {
      name: 'without a match',
      query: 'watch=1&sendInitialEvents=true&allowWatchBookmarks=true',
      message: /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/,
    },
    {
      name: 'a match without it',
      query: 'watch=1&resourceVersionMatch=NotOlderThan',
      message: /resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided/,
    },
    {
      name: 'another match',
      query: 'watch=1&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=5',
      message: /resourceVersionMatch/,
    },
    { name: 'in a list', query: 'sendInitialEvents=true', message: /sendInitialEvents is forbidden for list/ },
  ];
  for (const { name, query, message } of refused) {
    test(`refused: ${name}`, async () => {
      await fresh();
      const status = await wire.expectCode(422, 'GET', `${base}?${query}`);
      expect(status).toMatchObject({ reason: 'Invalid', message: expect.stringMatching(message) });
    });
  }
});
