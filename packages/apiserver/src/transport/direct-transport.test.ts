import type { KubeList, KubeObject } from '@orrery/apimachinery';
import { newClient } from '@orrery/client';
import { describe, expect, test } from 'vitest';
import { configMaps, named, startApi } from '../endpoints/test-api.ts';
import { newDirectTransport } from './direct-transport.ts';

const start = () => {
  const api = startApi();
  return { api, client: newClient(newDirectTransport(api.handler, { username: 'ann', groups: [] }, { userAgent: 'controller/1' })) };
};
const x = { namespace: 'a', name: 'x' };

describe('the direct transport', () => {
  test('hands out the server’s own objects, frozen in tests', async () => {
    const { api, client } = start();
    const made = await client.create(configMaps, { metadata: { ...x }, data: { k: 'v' } } as never);
    expect(await client.get(configMaps, x)).toBe(made);
    const { items, kind } = (await client.list(configMaps)) as KubeList<KubeObject>;
    expect(items[0]).toBe(made);
    expect(kind).toBe('ConfigMapList');
    expect(Object.isFrozen((made as unknown as { data: object }).data)).toBe(true);
    expect(made.metadata.managedFields?.[0]?.manager).toBe('controller');
    expect((await api.object('get', configMaps, { name: 'x' })).metadata.uid).toBe(made.metadata.uid);
  });

  test('a watch ends by its signal, and by breaking out of it', async () => {
    const { api, client } = start();
    const before = api.clock.pendingTimers;
    await api.call('create', configMaps, { body: named('x') });
    for await (const [event] of client.watch(configMaps)) {
      expect(event?.object.metadata.name).toBe('x');
      break;
    }
    const abort = new AbortController();
    const seen: string[] = [];
    const done = (async () => {
      for await (const batch of client.watch(configMaps, { signal: abort.signal, resourceVersion: '2' })) {
        seen.push(...batch.map(({ type }) => type));
        abort.abort();
      }
    })();
    await api.clock.advance(1);
    await api.call('delete', configMaps, { name: 'x' });
    await done;
    expect(seen).toEqual(['DELETED']);
    expect(api.clock.pendingTimers).toBe(before);
  });

  test('a watch that is refused throws a StatusError', async () => {
    const { client } = start();
    const watch = client.watch(configMaps, { fieldSelector: 'nothing=1' })[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ code: 400 });
  });

  test('what is no resource call is 404 unless somebody serves it', async () => {
    const { api, client } = start();
    await expect(client.raw({ path: '/version' })).rejects.toMatchObject({ code: 404 });
    const raw = () => Promise.resolve({ status: 200, headers: {}, body: (async function* () {})() });
    const served = newDirectTransport(api.handler, { username: 'ann', groups: [] }, { raw });
    expect((await served.raw({ path: '/version' })).status).toBe(200);
  });
});
