import { realClock } from '@orrery/base';
import { newMemoryStore, type Store } from '@orrery/storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Any, startWire, type Wire } from './wire.ts';

let wire: Wire;
let store: Store;
beforeAll(async () => {
  store = newMemoryStore({ clock: realClock });
  wire = await startWire({ controllers: false, scheduler: false, store });
});
afterAll(async () => {
  await wire?.[Symbol.asyncDispose]();
  await store.close();
});

const total = 25;
const template = { spec: { containers: [{ name: 'test', image: 'test2' }] } };
const fill = async (): Promise<string> => {
  const path = `/api/v1/namespaces/${await wire.namespace()}/podtemplates`;
  const names = Array.from({ length: total }, (_, i) => `template-${String(i).padStart(4, '0')}`);
  await Promise.all(names.map((name) => wire.expectCode(201, 'POST', path, { body: { metadata: { name }, template } })));
  return path;
};
const namesOf = (list: Any): string[] => list.items.map(({ metadata }: Any) => metadata.name);
const page = (path: string, limit: number, token = '') =>
  wire.ask('GET', `${path}?limit=${limit}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`);

describe('chunks of a list', () => {
  test('one version over all pages, in order, with the count of what remains', async () => {
    const path = await fill();
    for (const limit of [1, 4, 7, 25]) {
      const found: string[] = [];
      let version = '';
      let token = '';
      do {
        const list = (await page(path, limit, token)).body;
        expect(list.items.length).toBeLessThanOrEqual(limit);
        version ||= list.metadata.resourceVersion;
        expect(list.metadata.resourceVersion).toBe(version);
        found.push(...namesOf(list));
        token = list.metadata.continue ?? '';
        expect(list.metadata.remainingItemCount).toBe(token === '' ? undefined : total - found.length);
        if (found.length === limit) await wire.expectCode(201, 'POST', path, { body: { metadata: { name: `zz-${limit}` }, template } });
      } while (token !== '');
      expect(found).toHaveLength(total);
      await wire.expectCode(200, 'DELETE', `${path}/zz-${limit}`);
    }
  });

  test('a token whose version was compacted is Expired, and the fresh one goes on at a newer version', async () => {
    const path = await fill();
    const first = (await page(path, 5)).body;
    await wire.expectCode(201, 'POST', path, { body: { metadata: { name: 'template-0005a' }, template } });
    await store.compact(store.revision);
    const expired = await page(path, 5, first.metadata.continue);
    expect(expired.status).toBe(410);
    expect(expired.body).toMatchObject({ kind: 'Status', reason: 'Expired', metadata: { continue: expect.any(String) } });
    const rest: string[] = [];
    let token = expired.body.metadata.continue;
    let version = '';
    do {
      const list = (await page(path, 5, token)).body;
      version ||= list.metadata.resourceVersion;
      expect(list.metadata.resourceVersion).toBe(version);
      rest.push(...namesOf(list));
      token = list.metadata.continue ?? '';
      if (token !== '') expect(list.metadata.remainingItemCount + rest.length + 5).toBe(total + 1);
    } while (token !== '');
    expect(version).not.toBe(first.metadata.resourceVersion);
    expect(rest[0]).toBe('template-0005');
    expect(rest[1]).toBe('template-0005a');
    expect(rest).toHaveLength(total - 5 + 1);
  });

  test('a list at, and a watch from, a compacted version are Expired', async () => {
    const path = await fill();
    const list = (await page(path, 0)).body;
    await wire.expectCode(200, 'DELETE', `${path}/template-0000`);
    await store.compact(store.revision);
    const version = list.metadata.resourceVersion;
    const exact = await wire.expectCode(410, 'GET', `${path}?resourceVersion=${version}&resourceVersionMatch=Exact`);
    expect(exact).toMatchObject({ reason: 'Expired', message: 'The resourceVersion for the provided list is too old.' });
    const watch = await wire.watch(`${path}?watch=1&resourceVersion=1`);
    const [event] = await watch.until(({ type }) => type === 'ERROR');
    expect(event?.object).toMatchObject({
      kind: 'Status',
      code: 410,
      reason: 'Expired',
      message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/),
    });
    await watch.ended;
  });
});
